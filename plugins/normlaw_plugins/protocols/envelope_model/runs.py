"""Learning curves as padded arrays, in the units that the model computes in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from normlaw_registry.response import TEST_ERROR, Response

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

RANGE = 10.0
"""The norms measured span this many units of x: priors and lengths do not depend on the norm's scale."""


FAR = 1e6
"""Farther than any two points, in units of x."""


@dataclass(frozen=True)
class Runs:
    """Curves of R runs with up to n points, m train sizes."""

    x: Floats
    """(ln norm - shift) / scale, (R, n); a shorter run repeats its last point."""
    error: Floats
    """The response, (R, n), > 0."""
    mask: NDArray[np.bool_]
    """Which points are measured, (R, n)."""
    names: tuple[str, ...]
    """(R,)"""
    sizes: NDArray[np.int64]
    """Train sizes, rising, (m,)."""
    size_of: NDArray[np.int64]
    """Index into `sizes`, (R,)."""
    p_of_sizes: Floats
    """ln P less its mean over runs, (m,)."""
    scale: float
    shift: float
    response: Response = TEST_ERROR
    """What `error` holds."""

    @cached_property
    def p(self) -> Floats:
        """Ln P of each run, centred, (R,)."""
        return self.p_of_sizes[self.size_of]

    @cached_property
    def log_error(self) -> Floats:
        """(R, n)"""
        return np.log(self.error)

    @cached_property
    def apart(self) -> Floats:
        """Distance in x of any two points of a run, (R, n, n); very far where one was not measured."""
        both = self.mask[:, :, None] & self.mask[:, None]
        return np.where(both, np.abs(self.x[:, :, None] - self.x[:, None]), FAR)

    @property
    def span(self) -> float:
        """Ln of the ratio of the largest to the least train size."""
        return float(self.p_of_sizes[-1] - self.p_of_sizes[0])

    @property
    def least(self) -> Floats:
        """Where each run's error is least, in x, (R,)."""
        rows = np.arange(len(self.x))
        return np.asarray(self.x[rows, np.where(self.mask, self.error, np.inf).argmin(axis=1)])

    @property
    def slope_of_least(self) -> float:
        """How far these places move with ln P, by least squares."""
        return float(self.p @ self.least / (self.p @ self.p))

    @property
    def single(self) -> bool:
        """Whether some size has one run only, so that runs and sizes cannot be told apart."""
        return bool(np.bincount(self.size_of).min() < 2)

    def subset(self, rows: NDArray[np.int64]) -> Runs:
        """Return some of the runs in the same units; every size must keep one."""
        return Runs(
            self.x[rows],
            self.error[rows],
            self.mask[rows],
            tuple(self.names[i] for i in rows),
            self.sizes,
            self.size_of[rows],
            self.p_of_sizes,
            self.scale,
            self.shift,
            self.response,
        )

    def at(self, x: Floats, size_of: NDArray[np.int64], p_of_sizes: Floats) -> Runs:
        """Return runs at norms of choice, in the same units, to ask a model there: nothing is measured of them.

        Args:
            x: the norms, (k, n).
            size_of: index of each run's train size, (k,).
            p_of_sizes: ln P of the sizes, centred as these are.

        """
        return replace(
            self,
            x=x,
            error=np.ones(x.shape),
            mask=np.ones(x.shape, dtype=bool),
            names=("",) * len(x),
            size_of=size_of,
            p_of_sizes=p_of_sizes,
        )

    def thinned(self, most: int) -> Runs:
        """Return at most `most` runs, evenly from all sizes, at least two of each where there are two."""
        if len(self.x) <= most:
            return self
        share = max(most // len(self.sizes), 2)
        rows = [np.flatnonzero(self.size_of == k)[:share] for k in range(len(self.sizes))]
        return self.subset(np.concatenate(rows))


def runs_of(curves: pd.DataFrame, response: Response = TEST_ERROR) -> Runs:
    """Return the curves of a protocol's frame, see `normlaw_registry.protocol`."""
    groups = [group for _, group in curves.groupby("run", sort=False)]
    n = max(len(group) for group in groups)
    x, error = np.empty((len(groups), n)), np.empty((len(groups), n))
    mask = np.zeros((len(groups), n), dtype=bool)
    for i, group in enumerate(groups):
        norms, errors = group["log_norm"].to_numpy(np.float64), group["test_error"].to_numpy(np.float64)
        x[i], error[i] = norms[-1], errors[-1]
        x[i, : len(norms)], error[i, : len(norms)], mask[i, : len(norms)] = norms, errors, True
    sizes, size_of = np.unique([int(group["train_size"].iloc[0]) for group in groups], return_inverse=True)
    p = np.log(sizes.astype(np.float64))
    low, high = float(x.min()), float(x.max())
    scale = max(high - low, 1e-9) / RANGE
    return Runs(
        x=(x - low) / scale,
        error=error,
        mask=mask,
        names=tuple(str(group["run"].iloc[0]) for group in groups),
        sizes=sizes,
        size_of=size_of,
        p_of_sizes=p - p[size_of].mean(),
        scale=scale,
        shift=low,
        response=response,
    )
