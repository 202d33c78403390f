"""A ladder of sizes: the curves of several runs of each, on one abscissa that is 1 where they are anchored.

The coordinate u of a run's point and the anchor of its size depend on the abscissa:

| abscissa | u | anchor of a size |
|---|---|---|
| `compute`, `steps` | x itself, what was spent | the last that all its runs have spent |
| `norm` | ln of the norm | the mean over its runs of ln of the optimal norm, at most what all reach |
| `departure` | ln of the norm | ln of the norm at which it leaves the envelope |

The relative coordinate is u / anchor of the first two and u - anchor, which is ln x, of the others. No
quantity of a single run stands in it: what a run deviates by is all in its loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw.study.collapse_choice import ABSCISSAS, LOGARITHMIC, Abscissa
from normlaw_registry import InputError
from normlaw_registry.curves.columns import floats

Floats = NDArray[np.float64]
MIN_SIZES, MIN_RUNS = 3, 2
GRID = 99
START = 0.02
"""Where the grid begins at the earliest, on an abscissa that is not logarithmic."""


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """Curves of sizes, smallest first, the runs of a size one after the other."""

    abscissa: Abscissa
    sizes: Floats
    """(sizes,)."""
    labels: Sequence[str]
    """What each size is called."""
    size_of: NDArray[np.int64]
    """Number of the size of each run, (runs,), rising from 0."""
    u: Sequence[Floats]
    """Of each run its coordinates, ascending, (points,)."""
    loss: Sequence[Floats]
    """Of each run its losses there, (points,)."""
    anchors: Floats
    """Of each run: the mean over the runs of a size is the anchor of the size, (runs,)."""
    scale: Floats
    """What a law of the final loss is a law of: the final compute of each size, or the size, (sizes,)."""

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.size_of)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of runs of each size, (sizes,)."""
        return np.bincount(self.size_of)

    @property
    def logarithmic(self) -> bool:
        """Whether the coordinate is a logarithm."""
        return self.abscissa in LOGARITHMIC

    @property
    def anchor(self) -> Floats:
        """The anchor of each size, (sizes,)."""
        return means(self.anchors, self.size_of)

    def grid(self) -> Floats:
        """Return the relative coordinates that all runs have in common, evenly spaced, the anchor among them.

        Raises:
            InputError: there are none.

        """
        anchor = self.anchor[self.size_of]
        first, last = (np.array([u[end] for u in self.u]) for end in (0, -1))
        if not self.logarithmic:
            low = max(START, float((first / anchor).max()))
            if not low < 1:
                raise InputError(f"{self._told('no range in common', first / anchor, last / anchor)}")
            return np.linspace(low, 1.0, GRID)
        low, high = float((first - anchor).max()), float((last - anchor).min())
        if not low < high:
            raise InputError(self._told("no range in common", np.exp(first - anchor), np.exp(last - anchor)))
        return np.unique(np.r_[np.linspace(low, high, GRID - 1), 0.0])

    def _told(self, what: str, first: Floats, last: Floats) -> str:
        late, early = int(np.argmax(first)), int(np.argmin(last))
        return (
            f"collapse: the curves have {what}: one of size {self.labels[self.size_of[late]]} begins at "
            f"{first[late]:.3g}, one of size {self.labels[self.size_of[early]]} ends at {last[early]:.3g} in "
            f"{ABSCISSAS[self.abscissa]}: train so that they overlap, or choose another abscissa"
        )

    def at(self, relative: Floats, shift: Floats) -> tuple[Floats, Floats]:
        """Return the losses of all runs at relative coordinates, and at the anchor.

        They are interpolated linearly, of a logarithmic abscissa in both logarithms.

        Args:
            relative: the grid, (grid,).
            shift: what is added to the anchor of each size, (sizes,).

        Returns:
            (runs, grid) and (runs,).

        """
        anchor = (self.anchor + shift)[self.size_of]  # (runs,)
        rows, ends = [], []
        for u, loss, a in zip(self.u, self.loss, anchor, strict=True):
            if self.logarithmic:
                log_loss = np.log(loss)
                rows.append(np.exp(np.interp(relative + a, u, log_loss)))
                ends.append(float(np.exp(np.interp(a, u, log_loss))))
            else:
                rows.append(np.interp(relative * a, u, loss))
                ends.append(float(np.interp(a, u, loss)))
        return np.stack(rows), np.array(ends)


def means(values: Floats, size_of: NDArray[np.int64]) -> Floats:
    """Return the mean over the runs of each size, along the first axis."""
    starts = np.flatnonzero(np.r_[True, np.diff(size_of) > 0])
    counts = np.bincount(size_of).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(np.add.reduceat(values, starts, axis=0) / counts, dtype=np.float64)


def ladder_of(
    frame: pd.DataFrame,
    abscissa: Abscissa,
    anchors: Mapping[str, float] | None = None,
    labels: Mapping[float, str] | None = None,
) -> tuple[Ladder, list[str]]:
    """Return the ladder of a frame, and the labels of the sizes that were left out for want of a second run.

    Args:
        frame: a row a point: run, size (positive), u, loss, and `compute` on that abscissa.
        abscissa: what u is.
        anchors: of each run ln of its optimal or departure norm, on these abscissas.
        labels: what sizes are called, where it is not their number.

    Raises:
        InputError: fewer than 3 sizes have two runs, or there are none of the anchors.

    """
    labels = labels or {}
    frame = frame.sort_values(["size", "run", "u"], kind="stable")
    runs = [(str(name), own) for name, own in frame.groupby("run", sort=False) if len(own) > 1]
    sizes = np.array([float(own["size"].iloc[0]) for _, own in runs])
    known, counts = np.unique(sizes, return_counts=True)
    called = {float(size): labels.get(float(size), f"{size:,g}") for size in known}
    kept = known[counts >= MIN_RUNS]
    alone = [called[float(size)] for size in known[counts < MIN_RUNS]]
    if len(known) < MIN_SIZES:
        have = ", ".join(called.values()) or "none"
        raise InputError(
            f"collapse: curves of at least {MIN_SIZES} sizes are compared, got {len(known)} ({have}): run more "
            "sizes, or say which parameter holds them"
        )
    if len(kept) < MIN_SIZES:
        raise InputError(
            f"collapse: the scatter of seeds needs two runs of each size, and {len(alone)} sizes have one "
            f"alone "
            f"({', '.join(alone)}): run more seeds"
        )
    members = sorted(
        ((size, name, own) for size, (name, own) in zip(sizes, runs, strict=True) if size in kept),
        key=lambda item: item[0],
    )
    size_of = np.searchsorted(kept, [size for size, _, _ in members])
    last = np.array([float(own["u"].iloc[-1]) for _, _, own in members])
    scale = kept
    if abscissa in LOGARITHMIC:
        found = np.array([(anchors or {})[name] for _, name, _ in members])
        first = np.array([float(own["u"].iloc[0]) for _, _, own in members])
        own_anchors = found.copy()
        for s in range(len(kept)):  # curves that still fall at their ends are anchored where all are there
            of = size_of == s
            mean = float(found[of].mean())
            own_anchors[of] += np.clip(mean, first[of].max(), max(first[of].max(), last[of].min())) - mean
    else:
        least = np.array([last[size_of == s].min() for s in range(len(kept))])
        own_anchors = least[size_of]
        scale = least if abscissa == "compute" else kept
    ladder = Ladder(
        abscissa=abscissa,
        sizes=kept,
        labels=[called[float(size)] for size in kept],
        size_of=np.asarray(size_of, dtype=np.int64),
        u=[floats(own, "u") for _, _, own in members],
        loss=[floats(own, "loss") for _, _, own in members],
        anchors=own_anchors,
        scale=scale,
    )
    return ladder, alone
