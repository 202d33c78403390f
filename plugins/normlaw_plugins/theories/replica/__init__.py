r"""Replica-symmetric theory of a perceptron that learns a perceptron, at fixed weight norm.

Setting
    Teacher w* with |w*|^2 = N, inputs x ~ N(0, 1_N), labels y = sign(w*.x), P = alpha N examples. The
    student is lambda w with |w|^2 = N; its margins are D = y w.x/sqrt(N) and it minimises the mean of
    l(lambda D) over the sphere. With R = w.w*/N = cos(theta) its generalisation error is theta/pi. Losses
    l(z): log(1 + e^(-2z)) (logistic, the paper's -z + log 2cosh z), max(0, 1 - z) (hinge),
    (1 - z)^2/2 (square); V(D) = l(lambda D)/lambda has slope -1 at D = 0 as lambda -> 0 for each, which is
    Hebb's rule.

Free energy (Engel and Van den Broeck 2001, ch. 4; D'Amico, Bocchi, Negri 2025, arXiv 2505.13230)
    At zero temperature the overlap q of two solutions tends to 1 with chi = beta (1 - q) finite, and

        e = extr_{R, chi}  alpha Int Dt 2H(-R t/s) min_D [V(D) + (D - t)^2/(2 chi)]  -  (1 - R^2)/(2 chi),

    Dt the Gaussian measure, H(x) = Int_x^inf Dt, s = sqrt(1 - R^2) = sin(theta). t is the margin of the cavity
    student, which has not seen the example; the minimiser D*(t) is the margin after learning it.

Saddle point
    Let Delta(t) = D*(t) - t. d/dchi acts on the explicit chi alone, since D* is a minimiser:

        s^2 = alpha A,    A = Int Dt 2H(-t/tan theta) Delta(t)^2.                                        (1)

    In d/dR, dH(-R t/s)/dR = G(R t/s) t/s^3 with the Gaussian density G, and Dt G(R t/s) is a Gaussian of
    width s. One integration by parts, with d/dt min_D[...] = -Delta/chi, gives

        R = alpha sqrt(2/pi) B,    B = Int Du Delta(s u).                                                (2)

    These are solved in their logarithms,  ln(alpha A) - 2 ln s = 0  and  ln(alpha sqrt(2/pi) B) - ln R = 0,
    for x = ln(lambda chi) and phi = ln tan(theta): chi overflows float64 (it grows as exp(2 lambda kappa)
    for the logistic loss, kappa the largest margin), 1 - R falls below its resolution, x and phi do
    neither.

Proximal map
    Delta = S/lambda with S(tau, c) = argmin_z [l(z) + (z - tau)^2/(2c)] - tau, tau = lambda t, c = lambda
    chi. For the logistic loss S = e^y/2 and y + softplus(2 tau + e^y) = ln 4c, whose left side increases
    and is convex in y.

Derivatives, for Newton's method and for the tangent of the solution curve
    With q = tan(theta), dphi(ln s) = R^2, dphi(ln R) = -s^2, and Delta' = dDelta/dt = S_tau:

        dx A = 2 Int Dt 2H(-t/q) Delta Delta_x        dphi A = -2 Int Dt G(t/q) (t/q) Delta^2
        dx B = Int Du Delta_x(su)                     dphi B = R^2 Int Du su Delta'(su)
        d/dln(lambda) at fixed x:  Delta_lnlambda = t Delta' - Delta.

Which solution
    For a loss that decreases in the margin, on data that a perceptron made, the least loss over the ball
    lies on the sphere: the problem is convex, the minimum unique and replica symmetry exact. It ends where
    the loss can be made zero at norm lambda: never for the logistic loss; at 1/kappa_max(alpha) for the
    hinge loss; for the square loss at alpha < 1, at the norm of the least interpolator. Beyond, the
    minimiser is not unique and no number is given. (For the square loss at alpha > 1 beyond the
    least-squares solution the sphere forces a negative multiplier; the global minimum stays unique.)

Modules: `losses` (proximal maps), `quadrature` (panels), `equations` (residuals, derivatives),
`saddle_point` (Newton, continuation in lambda), `optimum` (least error over lambda), and
`limits` (Hebb, maximum stability, Gibbs, Bayes). All in float64; no part imports torch.
"""
