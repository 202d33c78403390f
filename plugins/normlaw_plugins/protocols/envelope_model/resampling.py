"""What the parameters would be without some of the runs: the jackknife, by one Newton step.

Without the runs of a group the posterior's curvature is C - I and its gradient -g, I and g that group's part of
both, so that the parameters move by -(C - I)^-1 g: exactly, where the model is linear (Cook 1977; Preisser and
Qaqish 1996). How smooth envelope and departure are held to be stays as it was chosen.
"""

from __future__ import annotations

import numpy as np

from normlaw_plugins.protocols.envelope_model.fitting import Fit
from normlaw_plugins.protocols.envelope_model.runs import Floats


def without_each(fit: Fit, group_of: np.ndarray) -> Floats:
    """Return how the parameters move when the runs of each group are left out, (groups, K).

    Args:
        fit: the model.
        group_of: the group of each run, 0 to groups - 1, (R,).

    """
    quadratic, curvature, scores = fit.quadratic, fit.quadratic.curvature, fit.quadratic.scores
    moved = []
    for group in range(int(group_of.max()) + 1):
        own = group_of == group
        part = quadratic.jacobian[own].reshape(-1, len(curvature))
        moved.append(-np.linalg.solve(curvature - part.T @ part, scores[own].sum(axis=0)))
    return np.stack(moved)


def jackknife(moved: Floats) -> Floats:
    """Return the covariance of values, (k, k), from how they move without each of m groups, (m, k)."""
    count = len(moved)
    away = moved - moved.mean(axis=0)
    return np.asarray((count - 1) / count * away.T @ away)
