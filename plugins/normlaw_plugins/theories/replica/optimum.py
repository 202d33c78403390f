"""The norm of least error at fixed load: the zero of dtheta/dln(lambda) on the solution curve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq

from normlaw_plugins.theories.replica.losses import Array, MarginLoss
from normlaw_plugins.theories.replica.saddle_point import NORM_RANGE, judged, newton, solve, unsolved
from normlaw_registry import NormlawError

PER_DECADE = 3


@dataclass(frozen=True)
class Optimum:
    """The least generalisation error over the norm, at one load."""

    alpha: float
    norm: float
    """lambda_opt, exact to about 1e-9 (relative)."""
    error: float


@lru_cache(maxsize=256)
def least_error(loss: MarginLoss, alpha: float) -> Optimum:
    """Return the optimum over lambda in NORM_RANGE.

    Raises:
        NormlawError: the error has no minimum inside the range, or a point could not be solved.

    """
    decades = np.log10(NORM_RANGE[1] / NORM_RANGE[0])
    grid = np.geomspace(*NORM_RANGE, int(decades * PER_DECADE) + 1)
    coarse = solve(loss, [alpha], [float(norm) for norm in grid])
    falls, phi = coarse.d_phi[0] < 0.0, coarse.phi[0]
    turns = [i for i in range(len(grid) - 1) if falls[i] and not falls[i + 1]]
    if not turns:
        raise NormlawError(
            f"{loss.name} loss, alpha = {alpha:g}: the error has no minimum for lambda in "
            f"[{NORM_RANGE[0]:g}, {NORM_RANGE[1]:g}]"
        )
    low = min(turns, key=lambda i: float(phi[i]))
    load, start = (
        np.array([alpha], dtype=np.float64),
        np.stack([coarse.log_c[:, low], phi[low : low + 1]], axis=1),
    )

    def at(log_norm: float) -> tuple[Array, Array]:
        """Return the saddle point and its tangent, both (1, 2)."""
        found = newton(loss, load, np.exp([log_norm]), start)
        if found is None:
            raise unsolved(loss, load, float(np.exp(log_norm)))
        return found

    best = float(
        brentq(
            lambda y: float(at(y)[1][0, 1]), np.log(grid[low]), np.log(grid[low + 1]), xtol=1e-10, rtol=1e-12
        )
    )
    point, tangent = at(best)
    judged(loss, load, float(np.exp(best)), point, tangent)
    return Optimum(alpha=alpha, norm=float(np.exp(best)), error=float(np.arctan(np.exp(point[0, 1])) / np.pi))
