r"""A two-layer student that learns from a two-layer teacher by one-pass SGD: order parameters in time.

Setting (Saad, Solla 1995; power-law inputs after Worschech, Rosenow 2024, arXiv 2410.09005)
    Inputs xi ~ N(0, Sigma) of dimension N; Sigma has L distinct eigenvalues lam_e of mean 1, proportional to
    e^-(1 + beta), each on a fraction f_e = 1/L of the dimensions (projector P_e). Fields x_i = J_i.xi/sqrt(N),
    i = 1..K, of the student, y_n = B_n.xi/sqrt(N), n = 1..M, of the teacher. The student is s sum_i g(x_i), the
    teacher tau sum_n g(y_n), with s = sqrt(M)/K, tau = 1/sqrt(M) and g(x) = erf(x/sqrt(2)) or g(x) = x. Error
    eps = <(teacher - student)^2>/2. A step takes one new example,

        J_i += (eta s/sqrt(N)) delta_i xi,  delta_i = g'(x_i) (teacher - student),  time alpha = steps/N.

Order parameters (N -> infinity at fixed L, K, M)
    R_e = J P_e B^T/N (K x M), Q_e = J P_e J^T/N (K x K), T_e = B P_e B^T/N (M x M, constant). The covariance C
    of the fields has the blocks Q1 = sum_e lam_e Q_e, R1, T1. <delta_i v> = sum_w W[i,w] Cov(v, field w) for
    every linear field v; with W = (W_J | W_B) and X = <delta delta^T>

        dR_e/dalpha = eta s lam_e (W_J R_e + W_B T_e)
        dQ_e/dalpha = eta s lam_e (W_J Q_e + W_B R_e^T + transpose) + eta^2 s^2 lam_e f_e X.

    W, X and eps are functions of C alone (module `averages`). eta -> 0: time counts as eta alpha and the last
    term, of order eta, drops out.

Integration
    Frozen W makes the equations linear, and W_J is one symmetric K x K matrix for all eigenspaces: its
    eigenvectors make them scalar. `integrate` is an exponential Runge-Kutta method of order four about that
    linear part, so that the largest eigenvalue does not bound the step. A second integration with another
    tolerance vouches for the first.

Assumption
    eta s lam_1/N << 1: one step changes the fields little. With as many distinct eigenvalues as dimensions
    lam_1/N does not vanish, and the equations do not hold: `curve` refuses.

Modules: `model` (spectrum, initial overlaps), `averages`, `flow` (right-hand side), `integrate`, `curve`
(vouched for or refused), `closed_forms` (plateau, escape). All in float64; no part imports torch.
"""
