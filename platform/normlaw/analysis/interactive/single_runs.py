"""The curves of single runs, for a figure that draws means: as many points as a page can carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures.style import LN10
from normlaw.analysis.interactive.series import Plot, Series
from normlaw_registry.curves.columns import floats, run_slices

if TYPE_CHECKING:
    import pandas as pd

MOST = 50_000
"""Points, about 1 MB; of more each run shows every second one, or every third, and its last."""
DIGITS = 6
"""Significant digits of each: a screen has fewer pixels."""
SINGLE = "single run"
"""What such curves are recorded as."""


def single_runs(
    points: pd.DataFrame, names: Mapping[str, str] | None = None, most: int = MOST
) -> Iterator[pd.DataFrame]:
    """Yield what is drawn of single runs as a figure records it, a frame a train size.

    Args:
        points: run, train_size, log_norm and test_error, sorted along each run.
        names: what runs are called; default: as they are marked.
        most: points, about.

    """
    import pandas as pd

    every = max(-(-len(points) // most), 1)
    for size, own in points.groupby("train_size", sort=True):
        rows = np.concatenate([_thinned(run, every) for _, _, run in run_slices(own)])
        run = own["run"].to_numpy()[rows]
        yield pd.DataFrame(
            {
                "series": SINGLE,
                "train_size": size,
                "log10_norm": floats(own, "log_norm")[rows] / LN10,
                "error": floats(own, "test_error")[rows],
                "run": run,
                "name": [(names or {}).get(str(one), str(one)) for one in run],
            }
        )


def _thinned(run: slice, every: int) -> np.ndarray:
    rows = np.arange(run.start, run.stop)
    return np.union1d(rows[::every], rows[-1:])


def shortened(plot: Plot) -> Plot:
    """Return a plot whose single runs have no more digits than are seen."""
    return replace(plot, series=tuple(_short(one) if one.name == SINGLE else one for one in plot.series))


def _short(one: Series) -> Series:
    short = {
        name: [[None if v is None else float(f"{v:.{DIGITS}g}") for v in line] for line in one.columns[name]]
        for name in ("x", "y")
    }
    return replace(one, columns={**one.columns, **short})
