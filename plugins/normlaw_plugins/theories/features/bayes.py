"""The least mean error that any predictor can have after P examples of a normal target."""

from __future__ import annotations

from math import exp, isinf, log

import numpy as np
from scipy.optimize import brentq

from normlaw_plugins.theories.features.modes import power_law


def least_error(a: float, count: float, examples: float, noise: float) -> float:
    """Return sum_k tau_k kappa/(kappa + tau_k), tau_k = k^-a, where P kappa is that sum and sigma^2.

    With w_k ~ N(0, tau_k/lam_k) it is the mean variance of the posterior, exact for many examples and modes
    (Sollich 1999, Adv. Neural Inf. Process. Syst. 11).

    Args:
        a: decay of the target, lam_k w_k^2 = k^-a.
        count: modes M; may be infinite.
        examples: P; may be infinite.
        noise: variance sigma^2 of the labels' noise.

    """
    if isinf(examples) or (noise == 0.0 and examples >= count):
        return 0.0
    modes = power_law(a, a, count)

    def left(log_kappa: float) -> float:
        kappa = exp(log_kappa)
        return float(np.sum(modes.of_lam * (kappa / (kappa + modes.lam))))

    def excess(log_kappa: float) -> float:
        return log((noise + left(log_kappa)) / examples) - log_kappa

    most = log((noise + modes.trace) / examples)
    return left(brentq(excess, most - 200.0, most + 1e-9, xtol=1e-14, rtol=1e-14))
