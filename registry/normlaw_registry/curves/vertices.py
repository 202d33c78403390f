"""Parabolas through parts of curves, all at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MIN_POINTS = 5
SCORINGS = 3
"""Fisher scorings after the fit to logarithms."""


@dataclass(frozen=True)
class Vertices:
    """The parabolas of R runs, as each run's x and y count them."""

    usable: NDArray[np.bool_]
    """Whether the parabola opens upwards and has its vertex among the points it was fitted to, (R,)."""
    vertex: Floats
    """(R,); 0 where it is not usable."""
    least: Floats
    """The value at the vertex, (R,); 0 where it is not usable."""
    bend: Floats
    """c in y = least + c (x - vertex)^2, (R,); 1 where it is not usable."""
    spread: Floats
    """Standard error of the vertex where points scatter by 1, (R,)."""

    def replaced(self, other: Vertices, which: NDArray[np.bool_]) -> Vertices:
        """Return these with the runs `which` (R,) of others."""
        names = ("usable", "vertex", "least", "bend", "spread")
        return Vertices(*(np.where(which, getattr(other, name), getattr(self, name)) for name in names))


def vertices(x: Floats, y: Floats, run_of: NDArray[np.int64], count: int) -> Vertices:
    """Fit one parabola a run: a generalised linear model with log link (McCullagh and Nelder 1989).

    Args:
        x: log norms, (n,).
        y: log errors, (n,).
        run_of: the run's number of each point, (n,).
        count: of runs; one may have no point.

    """
    powers = np.stack([x**k for k in range(5)])  # (5, n)
    moments = np.stack([np.bincount(run_of, p, count) for p in powers])  # (5, R)
    gram = np.stack([moments[i : i + 3] for i in range(3)]).transpose(2, 0, 1)  # (R, 3, 3)
    scale = np.sqrt(np.maximum(moments[2] / np.maximum(moments[0], 1), 1e-300))  # (R,) spread of x
    unit = np.stack([np.ones(count), scale, scale**2], axis=1)
    gram = gram / (unit[:, :, None] * unit[:, None, :])
    solvable = (moments[0] >= MIN_POINTS) & (np.linalg.cond(gram) < 1e8)
    gram[~solvable] = np.eye(3)
    inverse = np.linalg.inv(gram)

    def line_up(response: Floats) -> Floats:
        """Return the coefficients (R, 3) of least squares."""
        right = np.stack([np.bincount(run_of, powers[k] * response, count) for k in range(3)], axis=1)
        return np.asarray(np.einsum("rij,rj->ri", inverse, right / unit) / unit)

    found = line_up(y)
    for _ in range(SCORINGS):
        fitted = np.einsum("rk,kr->r", found[run_of], powers[:3])
        # the working response; a parabola far from its points is left at one step of it
        found = line_up(fitted + np.clip(np.expm1(np.minimum(y - fitted, 3.0)), -1.0, 3.0))
    a, b, c = found.T
    lowest, highest = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(lowest, run_of, x)
    np.maximum.at(highest, run_of, x)
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = -b / (2 * c)
        gradient = np.stack([np.zeros(count), -1 / (2 * c), b / (2 * c**2)], axis=1) / unit
        spread = np.sqrt(np.einsum("ri,rij,rj->r", gradient, inverse, gradient))
        usable = solvable & (c > 0) & (vertex > lowest) & (vertex < highest)
        least = a - b**2 / (4 * c)
    return Vertices(
        usable,
        np.where(usable, vertex, 0.0),
        np.where(usable, least, 0.0),
        np.where(usable, c, 1.0),
        np.where(usable, spread, 0.0),
    )
