"""How far the norm may grow before the minimum of the loss stops being unique."""

from __future__ import annotations

import numpy as np

from normlaw_plugins.theories.replica.limits import stability


def largest_norm(loss: str, alpha: float) -> float:
    """Return the norm from which on the loss can be made zero in more than one way; infinite if it never can.

    Hinge: max(0, 1 - lambda D) vanishes for all examples once lambda kappa_max(alpha) >= 1.
    Square, alpha < 1: the least interpolator has norm^2 = alpha (1 - 2 alpha/pi)/(1 - alpha), the closed
    form of the saddle point at chi -> infinity.
    """
    if loss == "hinge":
        return 1.0 / stability(alpha)
    if loss == "square" and alpha < 1.0:
        return float(np.sqrt(alpha * (1.0 - 2.0 * alpha / np.pi) / (1.0 - alpha)))
    return float("inf")
