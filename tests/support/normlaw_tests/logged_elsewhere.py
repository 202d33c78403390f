"""Exact curves as another program would log them: errors and norms over steps, under its own names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from normlaw_tests.exact_curves import exact_error

SIZES, SEEDS = (100, 200, 400, 800), (0, 1)
STEPS = np.arange(30) * 10


def curves() -> Iterator[tuple[int, int, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield of each run its train size and seed, and its errors and norms at `STEPS`, (30,) each."""
    for size in SIZES:
        for seed in SEEDS:
            log_norm = np.linspace(0, 8, len(STEPS)) + 0.002 * seed
            yield size, seed, exact_error(log_norm, size), np.exp(log_norm)
