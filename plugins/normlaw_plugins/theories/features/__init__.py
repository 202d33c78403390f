r"""Random features trained by gradient flow, gradient descent and one-pass SGD: the equations as solved.

Setting
    Modes k = 1..M: psi_k ~ N(0, lam_k), lam_k = k^-b, independent. Target y = sum_k w_k psi_k + sigma eps
    with lam_k w_k^2 = k^-a. Student f = v.(A psi)/sqrt(N), A (N, M) of standard normal entries, frozen;
    v(0) = 0; dv/dt = (1/P) sum_mu (y_mu - f_mu) A psi_mu/sqrt(N) on P examples that are used again and
    again. With e = w - A^T v/sqrt(N) the test loss is L = sum_k lam_k e_k^2, without the noise of labels,
    and the train loss (1/P) sum_mu (y_mu - f_mu)^2; neither has a factor 1/2. The norm is |v|. After
    Bordelon, Atanasov and Pehlevan 2024 (arXiv 2402.01092), derived anew; exact for N, P, M -> infinity at
    fixed ratios, with errors of order 1/N + 1/P.

One frequency
    S(kappa) = sum_k lam_k/(kappa + lam_k);  z = kappa R1 R3,  R1 = 1 - S/P,  R3 = 1 - S/N. Off the negative
    axis one root has 0 <= arg kappa <= arg z; `roots` follows it along the contour by Newton's method.

Two frequencies
    `equations.two_points` has the 2 x 2 linear system for test loss, train loss and |v|^2; each is the
    double inverse Laplace transform of its solution over z z', at (t, t). All singularities lie on the
    negative axis, so that one contour of Talbot's serves both variables (`contours`). Two contours are
    taken; where they differ by more than 1e-8 no value is given. What decays exponentially is found to the
    same relative accuracy from a contour that passes left of the gap of the spectrum (`flow`).

Discrete time
    Gradient descent of n steps at rate eta has (1 + eta z)^n in place of e^{zt}, t = eta n. Up to 60 steps the
    contour is a circle about the spectrum, beyond it Talbot's in ln(1 + eta z)/eta.

One pass
    The examples are infinite, and each step's batch of B adds noise that the kernel K = A Lam A^T/N
    forgets: L(n) = F(n) + (eta^2/B) sum_m tr[K^2 (1 - eta K)^{2(n-1-m)}] (L(m) + sigma^2), F the descent on
    the population; |v|^2 has tr[K ...] in its place. At infinite width the recursion of each mode's
    variance is exact. Their generating functions are inverted at any number of steps (`one_pass`).

Infinitely many modes are summed by quadrature in ln k (`modes`).
"""
