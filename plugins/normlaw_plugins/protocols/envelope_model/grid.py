"""Piecewise linear functions on an even grid: their values and integrals at any place."""

from __future__ import annotations

import numpy as np

from normlaw_plugins.protocols.envelope_model.runs import Floats


class Cells:
    """The cells of an even grid that values lie in, and where in them."""

    def __init__(self, at: Floats, grid: Floats) -> None:
        """Locate values of any shape; outside the grid a function goes on as it is at the edge."""
        step = grid[1] - grid[0]
        self._index, w = located(at, grid)
        self._next = self._index + 1
        reached = np.minimum(w, 1.0)
        self._inside = np.maximum(reached, 0.0)
        self._begin = step * (reached - self._inside * self._inside / 2)
        self._end = step * w - self._begin  # both together are all of the way

    def value(self, function: Floats) -> Floats:
        """Return a function (F,) at the values."""
        begin = function.take(self._index)
        return np.asarray(begin + self._inside * (function.take(self._next) - begin))

    def integral(self, function: Floats, integral: Floats) -> Floats:
        """Return the integral of functions, (F,) or (F, k), at the values: exactly, so that its slope is they.

        Args:
            function: what is integrated.
            integral: it at the grid's places, see `integrated`.

        """
        out = integral.take(self._index, axis=0)
        for weight, at in ((self._begin, self._index), (self._end, self._next)):
            part = function.take(at, axis=0)
            part *= weight if function.ndim == 1 else weight[..., None]
            out += part
        return out


def located(at: Floats, grid: Floats) -> tuple[np.ndarray, Floats]:
    """Return the cell of an even grid that each value lies in, and where in it; outside, w leaves [0, 1]."""
    t = (at - grid[0]) / (grid[1] - grid[0])
    index = np.fmin(np.fmax(t, 0.0), len(grid) - 2).astype(np.int64)
    return index, t - index


def integrated(function: Floats, grid: Floats, begin: Floats | float = 0.0) -> Floats:
    """Return the integral along the first axis by trapezoids, and what it is where the grid begins."""
    integral = np.empty_like(function)
    integral[0] = begin
    np.add(function[1:], function[:-1], out=integral[1:])
    integral[1:] *= (grid[1] - grid[0]) / 2
    return np.asarray(np.cumsum(integral, axis=0, out=integral))
