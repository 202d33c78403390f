"""Model averaging with information-criterion weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

POINTS_PER_DATUM = 10.0
"""Points of one run are correlated through whatever the law leaves out, so that this many count as one datum;
each counted by itself, weights fall on one window and intervals are too short."""


def information_weights(criterion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights proportional to exp(-criterion / 2) over all axes but the first, summing to one.

    A choice whose criterion is not finite has weight zero.

    Args:
        criterion: (draws, ...); the information criterion of every choice in every draw.

    """
    flat = criterion.reshape(len(criterion), -1)
    flat = np.where(np.isfinite(flat), flat, np.inf)
    best = flat.min(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        weights = np.exp(-(flat - best) / 2)
    weights = np.where(np.isfinite(weights), weights, 0.0)
    total = weights.sum(axis=1, keepdims=True)
    normalised = weights / np.where(total > 0, total, 1.0)
    return np.asarray(normalised.reshape(criterion.shape), dtype=np.float64)
