r"""Diagonal linear networks: the implicit bias of gradient flow, and the exact risk of the solution it finds.

Setting (Woodworth et al. 2020, arXiv 2002.09277)
    f(x) = <beta, x> with beta = w_+^D - w_-^D entry by entry, depth D >= 2, and all weights start at
    w_+ = w_- = a, the initial scale. Gradient flow on |X beta - y|^2 runs until the residual of the n < d
    examples vanishes. c = a^D.

Implicit bias
    Along the flow beta = c G(s) with s in the row space of X, and the increasing link

        D = 2:  G(s) = 2 sinh s            D > 2:  G(s) = (1 - s)^-p - (1 + s)^-p,  |s| < 1,  p = D/(D - 2).

    So the flow ends at the interpolator of least Q(beta) = sum_i c q(beta_i/c), q' = G^-1. Large c: the
    least l2 norm (kernel regime); small c: the least l1 norm (rich regime). By duality the interpolator is
    beta = c G(X^T nu) with n unknowns nu that solve X [c G(X^T nu)] = y.

Exact risk
    x ~ N(0, 1_d), y = <beta*, x>/sqrt(d) + sigma eps, n = delta d, d -> infinity; the entries of beta* are
    +-1/sqrt(rho), with probability rho/2 each, or 0, so that E beta*^2 = 1. Each entry of the solution is
    distributed as h(v) at v = beta* + tau Z, Z ~ N(0, 1), where h(v) is the beta that solves
    beta + theta q'(beta/c) = v. Unknowns theta and tau, the fixed point of approximate message passing:

        E h'(beta* + tau Z) = delta                                                                    (1)
        sigma^2 + E (h(beta* + tau Z) - beta*)^2 = delta tau^2                                         (2)

    The second term of (2) is the excess test error an entry, delta tau^2 the test error with its noise.
    The paper measures this risk; equations (1) and (2) are not in it. They are those of the LASSO
    (Bayati, Montanari 2012, arXiv 1008.2581) with the penalty Q, in the limit of no regularisation.

Parametrisation
    Everything is integrated over u, where s = u (D = 2) or s = tanh u (D > 2): v = c G + theta s and its
    derivatives are then smooth on the scale 1 (or 1/p), while h(v) itself has corners at small c. Each value
    b of beta* is given its own origin u_b, v(u_b) = b, and all differences from it are formed without
    cancellation: where tau falls to 1e-30, in the noiseless rich regime, they keep their digits.

Modules: `link` (G), `dual` (the interpolator), `equations` ((1), (2) and their derivatives), `fixed_point`
(Newton, continuation in a from the kernel regime), `limits` (a -> infinity, a -> 0, the transition). All in
float64; no part imports torch.
"""
