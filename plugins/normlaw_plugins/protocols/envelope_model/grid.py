"""Piecewise linear functions on an even grid: their values and integrals at any place."""

from __future__ import annotations

import numpy as np

from normlaw_plugins.protocols.envelope_model.runs import Floats


class Cells:
    """The cells of an even grid that values lie in, and where in them."""

    def __init__(self, at: Floats, grid: Floats) -> None:
        """Locate values of any shape; outside the grid a function goes on as it is at the edge."""
        self._count, self._step = len(grid), grid[1] - grid[0]
        self._index, w = located(at, grid)
        self._next = self._index + 1
        reached = np.minimum(w, 1.0)
        self._inside = np.maximum(reached, 0.0)
        self._begin = self._step * (reached - self._inside * self._inside / 2)
        self._end = self._step * w - self._begin  # both together are all of the way

    def value(self, function: Floats) -> Floats:
        """Return functions, (F,) or (F, k), at the values."""
        begin = function.take(self._index, axis=0)
        rise = function.take(self._next, axis=0) - begin
        return np.asarray(begin + (self._inside if function.ndim == 1 else self._inside[..., None]) * rise)

    def steepness(self, function: Floats) -> Floats:
        """Return the derivative of a function (F,) at the values; outside the grid it is flat."""
        rise = function.take(self._next) - function.take(self._index)
        within = (self._inside > 0) & (self._inside < 1)
        return np.asarray(np.where(within, rise, 0.0) / self._step)

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

    def value_back(self, weights: Floats) -> Floats:
        """Return what the weighted sum of a function's values changes by with it, (F,)."""
        inside = weights * self._inside
        begin = np.bincount(self._index.ravel(), (weights - inside).ravel(), self._count)
        return np.asarray(begin + np.bincount(self._next.ravel(), inside.ravel(), self._count))

    def integral_back(self, weights: Floats) -> Floats:
        """Return what weighted sums (..., k) of integrals change by with their functions, (F, k)."""
        out = self._scattered(self._index, self._begin[..., None] * weights)
        out += self._scattered(self._next, self._end[..., None] * weights)
        behind = self._scattered(self._index, weights)[:0:-1].cumsum(axis=0)[::-1]  # each cell's, (F - 1, k)
        behind *= self._step / 2
        out[1:] += behind
        out[:-1] += behind
        return out

    def _scattered(self, index: np.ndarray, weights: Floats) -> Floats:
        """Return the sums of weights (..., k) that go to each place of the grid, (F, k)."""
        k = weights.shape[-1]
        places = k * index.ravel()[:, None] + np.arange(k)
        sums = np.bincount(places.ravel(), weights.ravel(), k * self._count)
        return np.asarray(sums.reshape(-1, k), dtype=np.float64)


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
