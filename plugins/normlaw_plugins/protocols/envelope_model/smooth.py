"""Smooth functions of independent standard normal variables: Gaussian processes on a grid."""

from __future__ import annotations

import numpy as np

from normlaw_plugins.protocols.envelope_model.runs import Floats


def matern_basis(at: Floats, knots: int, length: float) -> Floats:
    """Return what turns independent variables into a Matern-3/2 process given at knots, (F, knots).

    Between knots it is the process's mean given its values there (a predictive process: Banerjee et al. 2008,
    section 2.2), which hardly depends on how many knots there are once they lie closer than its length.
    """
    places = np.linspace(at[0], at[-1], knots)
    root = np.linalg.cholesky(_matern(places, places, length) + 1e-8 * np.eye(knots))
    return np.asarray(np.linalg.solve(root, _matern(places, at, length)).T)


def _matern(one: Floats, other: Floats, length: float) -> Floats:
    """Return the covariances of a Matern-3/2 process of variance 1 at two sets of places, (i, j)."""
    distance = np.sqrt(3.0) * np.abs(one[:, None] - other) / length
    return np.asarray((1 + distance) * np.exp(-distance))
