"""Resamplings of the runs within each size, for the errors of all that is made of their curves.

A size with n runs gets n of them with replacement. Two corrections make few runs enough:

- Deviations from the size's mean are taken times sqrt(n / (n - 1)), so that the variance within a size is
  that of the runs on average, and not (n - 1)/n of it.
- The means of drawn runs scatter around those of the runs by s^2/n, which adds to the variance between
  sizes what it has in it once already: `excess` is that, and is taken off.

The sizes themselves are a design and are not drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from normlaw.analysis.scaling_collapse.floor import fit_floor
from normlaw.analysis.scaling_collapse.ladder import Floats, Ladder, means
from normlaw.analysis.scaling_collapse.statistics import Statistics, moments, statistics

SEED = 0
DRAWS = 400


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One resampling."""

    found: Statistics
    floor: float
    normalised: Floats
    """Mean normalised loss of each size, (sizes, grid)."""


def resampled(
    ladder: Ladder, relative: Floats, floor: float, theta: Floats | None, draws: int = DRAWS
) -> Iterator[Draw]:
    """Yield resamplings; those in which a run's final loss is not above the floor are left out.

    Args:
        ladder: the curves.
        relative: the grid, (grid,).
        floor: L0.
        theta: what `fit_floor` found of the final losses, where the floor was fitted: each resampling fits it
            anew.
        draws: how many.

    """
    rng = np.random.default_rng(SEED)
    size_of, counts = ladder.size_of, ladder.counts
    starts = np.r_[0, np.cumsum(counts)[:-1]]
    stretch = np.sqrt(counts / (counts - 1))  # (sizes,)
    at = _reader(ladder, relative)
    for _ in range(draws):
        drawn = np.concatenate(
            [start + rng.integers(n, size=n) for start, n in zip(starts, counts, strict=True)]
        )
        shift = stretch * (means(ladder.anchors[drawn], size_of) - ladder.anchor)
        loss, anchor = at(shift)

        def stretched(values: Floats, drawn: np.ndarray = drawn) -> Floats:
            mean = means(values, size_of)[size_of]
            factor = stretch[size_of].reshape(-1, *[1] * (values.ndim - 1))
            return np.asarray(mean + factor * (values[drawn] - mean), dtype=np.float64)

        new, ends = stretched(loss), stretched(anchor)
        own = floor
        if theta is not None:
            if not (ends > 0).all():
                continue
            own = float(fit_floor(ladder.scale, means(ends, size_of), theta)[2])
        if not (min(ends.min(), anchor.min()) > own):
            continue
        variance = moments((loss - own) / (anchor - own)[:, None], size_of)[1]  # (sizes, grid)
        excess = (variance / counts[:, None]).mean(axis=0)
        yield Draw(
            found=statistics(new, ends, size_of, own, excess),
            floor=own,
            normalised=means((new - own) / (ends - own)[:, None], size_of),
        )


def _reader(ladder: Ladder, relative: Floats) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Return what reads the curves at the grid: once, where no anchor is measured."""
    if ladder.logarithmic:
        return lambda shift: ladder.at(relative, shift)
    once = ladder.at(relative, np.zeros(len(ladder.sizes)))
    return lambda _: once
