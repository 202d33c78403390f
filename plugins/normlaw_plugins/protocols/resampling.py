"""Cluster bootstrap: whole runs are drawn again, never single points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def multiplicities(size_of: NDArray[np.int64], draws: int, seed: int) -> NDArray[np.float64]:
    """Return how much each run counts in each draw; draw 0 is the study as it is.

    Where every train size has at least two runs, runs are drawn within their size, n - 1 of n with weight
    n / (n - 1) (Rao and Wu 1988, J. Am. Stat. Assoc. 83, 231): with few seeds the plain bootstrap, n of n,
    would understate variances by the factor (n - 1) / n. Otherwise runs are drawn from the whole study.

    Args:
        size_of: number of the train size of each run, (runs,).
        draws: number of draws besides the study itself.
        seed: of numpy's generator.

    Returns:
        Weights, (1 + draws, runs).

    """
    generator = np.random.default_rng(seed)
    runs = len(size_of)
    weights = np.ones((1 + draws, runs))
    counts = np.bincount(size_of)
    if counts.min() < 2:
        weights[1:] = generator.multinomial(runs, np.full(runs, 1 / runs), size=draws)
        return weights
    for size, n in enumerate(counts):
        drawn = generator.multinomial(n - 1, np.full(n, 1 / n), size=draws)  # (draws, n)
        weights[1:, size_of == size] = drawn * (n / (n - 1))
    return weights
