"""Curves of sizes whose collapse is known: L = L0 + A t^-mu + B p^-nu, each run's excess times its factor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MU, NU, A, B, L0 = 0.5, 0.8, 1.0, 3.0, 0.3
SIZES = tuple(2**n for n in range(4, 10))
POINTS = 400


def horizon(size: float, error: float = 0.0) -> float:
    """Return the time at which t p is best spent on size p, p^gamma* with gamma* = nu/mu; or a wrong one."""
    best = (A * MU / (B * NU)) ** (1 / MU) * size ** (NU / MU)
    return float(best * (size / SIZES[0]) ** (error * NU / MU))


def loss(size: float, time: Floats) -> Floats:
    """Return L(t, p)."""
    return np.asarray(L0 + A * time**-MU + B * size**-NU)


def master(x: Floats) -> Floats:
    """Return l(x) of every size at the best horizons."""
    return np.asarray((NU * x**-MU + MU) / (MU + NU))


def ladder_frame(
    factor: Callable[[int, int, Floats], Floats],
    seeds: int = 5,
    sizes: tuple[int, ...] = SIZES,
    error: float = 0.0,
    points: int = POINTS,
) -> pd.DataFrame:
    """Return curves whose reducible loss is that of the law times a factor of (size's number, seed, x)."""
    x = np.linspace(0.01, 1.0, points)
    rows = []
    for number, size in enumerate(sizes):
        time = x * horizon(size, error)
        exact = loss(size, time) - L0
        for seed in range(seeds):
            curve = L0 + exact * factor(number, seed, x)
            rows.append(
                pd.DataFrame(
                    {"width": size, "seed": seed, "step": time, "compute": time * size, "test_loss": curve}
                )
            )
    return pd.concat(rows, ignore_index=True)
