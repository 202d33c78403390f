"""How long each size is best trained: compute-optimal horizons from curves at a constant learning rate.

At each compute C, spaced evenly in its logarithm, the size of least mean loss is the one that C is best spent
on. The first and the last size of this lower envelope are left out, since where they begin or end is decided
by the sizes that were run. A line through ln C against ln p of the others, least squares with the same weight
for each size,

    C*(p) = (p / c)^(1 + gamma),

is the compute at which size p is to stop, and its steps grow as p^gamma (Qiu et al. 2025, arXiv 2507.02119,
section 3; they call p the number of parameters: whatever compute a step costs is C / steps).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from normlaw.analysis.scaling_collapse.curves import size_of
from normlaw_registry import InputError
from normlaw_registry.curves.columns import floats
from normlaw_registry.errors import suggestion

POINTS = 200
MIN_INNER = 2


def compute_optimal_horizons(curves: pd.DataFrame, over: str, response: str = "test_loss") -> pd.DataFrame:
    """Return how many steps each size is best trained for.

    Args:
        curves: a row a measured point: run, step, compute, the sizes (`over`), test/loss (or test_loss, ...),
            of
            runs at a constant rate, long enough to cross each other.
        over: the column of the sizes.
        response: the loss.

    Returns:
        A row a size, smallest first: size, steps (rounded), compute, on_envelope (from how many values of C it
        is the best); `attrs` has gamma.

    Raises:
        InputError: a column is missing, or fewer than 2 sizes lie within the envelope.

    """
    measured = response.replace("_", "/") if response.replace("_", "/") in curves else response
    for column in (over, "run", "step", "compute", measured):
        if column not in curves.columns:
            raise InputError(
                f"horizons: curves lack the column {column!r}: {suggestion(column, list(curves.columns))}"
            )
    frame = curves.assign(size=[size_of(value) for value in curves[over]])
    frame = frame[frame["step"] > 0]
    sizes = np.unique(floats(frame, "size"))
    means = [frame[frame["size"] == size].groupby("compute")[measured].mean() for size in sizes]
    each = np.array([float((own["compute"] / own["step"]).mean()) for _, own in frame.groupby("size")])
    grid = np.geomspace(max(m.index.min() for m in means), max(m.index.max() for m in means), POINTS)
    losses = np.stack(
        [np.exp(np.interp(np.log(grid), np.log(m.index), np.log(m), right=np.inf)) for m in means]
    )  # (sizes, points)
    best = losses.argmin(axis=0)
    counts = np.bincount(best, minlength=len(sizes))
    present = np.flatnonzero(counts)
    inner = present[1:-1]
    if len(inner) < MIN_INNER:
        raise InputError(
            f"horizons: {len(inner)} sizes lie within the envelope of loss against compute, besides its first "
            f"and "
            f"last, and {MIN_INNER} are needed: run more sizes, or train longer"
        )
    centre = np.array([np.log(grid[best == i]).mean() for i in inner])
    slope, level = np.polyfit(np.log(sizes[inner]), centre, 1)
    compute = np.exp(level + slope * np.log(sizes))
    table = pd.DataFrame(
        {
            "size": sizes,
            "steps": np.maximum(1, np.round(compute / each)).astype(int),
            "compute": compute,
            "on_envelope": counts,
        }
    )
    table.attrs["gamma"] = float(slope - 1)
    return table
