"""The points on which abscissas are compared: of each run those before it departs, the same for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw.analysis.columns import PREFIX
from normlaw_registry import AnalysisWarning, InputError, Response
from normlaw_registry.curves import floats, noise_variance
from normlaw_registry.errors import suggestion

MARGIN = 0.1
"""A run has departed once its error lies within this part above its own least error."""
MIN_POINTS, MIN_SIZES = 4, 3
RESPONSE = " response"
"""Column with what falls; no measured column begins with a space."""
CLOCKS = {
    "steps": ("step", "time"),
    "epochs": ("epoch", "time"),
    "training_loss": ("train/loss", "loss"),
}
"""Abscissa -> column and kind; their natural logs are taken."""
OTHER_NAMES = {
    "test_error": "test/error",
    "test_loss": "test/loss",
    "train_loss": "train/loss",
    "log_norm": f"{PREFIX}norm",
}
"""Columns of curves files and of prepared curves, and what they are called in `normlaw.curves`."""


@dataclass(frozen=True, kw_only=True)
class Points:
    """Points of runs before they depart, runs one after the other, each in the order of its training."""

    log_error: NDArray[np.float64]
    """(points,)."""
    run_of: NDArray[np.int64]
    """Number of the run of each point, (points,), rising from 0."""
    size_of: NDArray[np.int64]
    """Train size of each run, (runs,)."""
    share: NDArray[np.float64]
    """Where each point stands among its run's, from 0 (first) to 1 (last), (points,)."""
    abscissas: Mapping[str, NDArray[np.float64]]
    """Name -> natural log of the abscissa at each point, (points,)."""
    kinds: Mapping[str, str]
    """Name -> norm, time or loss."""
    noise: float
    """Standard deviation of the scatter of neighbouring points, in ln of the error."""

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.size_of)


def points_before_departure(
    curves: pd.DataFrame, response: Response | None = None
) -> tuple[Points, tuple[AnalysisWarning, ...]]:
    """Return the points of each run before its error comes within `MARGIN` of its least, and what was left out.

    Which points these are does not depend on any abscissa: a run is taken in the order of its steps (where
    there are none, as its rows stand). Points without a log of the error or of some abscissa are left out, as
    step 0 is.

    Args:
        curves: columns train_size, test/error (or test_error; fraction), log_norm/<measure> (or log_norm;
            natural log) for each measure, and optionally run, seed, step, epoch, train/loss (or train_loss). An
            abscissa that more than half of the points lack is left out.
        response: what falls, by default the test error; for the test loss a column test/loss or test_loss.

    Raises:
        InputError: there is no abscissa, or fewer than 3 train sizes have a run with 4 points.

    """
    frame = curves.rename(columns={a: b for a, b in OTHER_NAMES.items() if b not in curves.columns})
    columns = {c.removeprefix(PREFIX): (c, "norm") for c in map(str, frame.columns) if c.startswith(PREFIX)}
    columns |= {name: found for name, found in CLOCKS.items() if found[0] in frame.columns}
    response = response or Response()
    measured = response.quantity.replace("_", "/")
    if measured not in frame.columns:
        raise InputError(f"curves lack the column {measured!r}: {suggestion(measured, list(frame.columns))}")
    frame = named_runs(frame.assign(**{RESPONSE: floats(frame, measured) - response.floor}))
    if "step" in frame.columns:
        frame = frame.sort_values(["run", "step"], kind="stable")
    else:
        frame = frame.sort_values("run", kind="stable")
    frame = frame[floats(frame, RESPONSE) > 0]
    warnings: list[AnalysisWarning] = []
    logs: dict[str, NDArray[np.float64]] = {}
    for name, (column, kind) in columns.items():
        values = floats(frame, column)
        if kind != "norm":
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.log(values)
        if np.isfinite(values).mean() >= 0.5:
            logs[name] = values
        else:
            what = f"{name!r} was left out of the comparison: more than half of the points lack it"
            warnings.append(AnalysisWarning(code="abscissa_left_out", message=what))
    if not logs:
        raise InputError("no abscissa to compare: the curves have no norm, no steps and no training loss")
    kept = before_departure(frame) & np.isfinite(np.stack(list(logs.values()))).all(axis=0)
    enough = pd.Series(kept, index=frame.index).groupby(frame["run"]).transform("sum") >= MIN_POINTS
    lost = frame["run"].nunique() - frame.loc[enough, "run"].nunique()
    if lost:
        what = f"{lost} runs have fewer than {MIN_POINTS} points before they depart, and were not compared"
        warnings.append(AnalysisWarning(code="runs_not_compared", message=what))
    kept &= enough.to_numpy()
    frame = frame[kept]
    if frame["train_size"].nunique() < MIN_SIZES:
        raise InputError(
            f"norms are compared on at least {MIN_SIZES} train sizes whose runs have {MIN_POINTS} points "
            f"before their error comes within {MARGIN:.0%} of its least, got {frame['train_size'].nunique()}: "
            "measure more often early in training"
        )
    run_of = np.asarray(pd.factorize(frame["run"])[0], dtype=np.int64)
    rank = frame.groupby("run", sort=False).cumcount().to_numpy(dtype=np.float64)
    share = rank / (np.bincount(run_of)[run_of] - 1)
    log_error = np.log(floats(frame, RESPONSE))
    sizes = frame.groupby("run", sort=False)["train_size"].first()
    points = Points(
        log_error=log_error,
        run_of=run_of,
        size_of=np.asarray(sizes, dtype=np.int64),
        share=share,
        abscissas={name: values[kept] for name, values in logs.items()},
        kinds={name: columns[name][1] for name in logs},
        noise=float(np.sqrt(noise_variance(share, log_error, run_of))),
    )
    return points, tuple(warnings)


def before_departure(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows stand before the first of their run whose error lies within `MARGIN` of its least.

    The error is what the column `RESPONSE` holds.
    """
    errors = frame[RESPONSE]
    departed = errors <= (1 + MARGIN) * errors.groupby(frame["run"]).transform("min")
    return np.asarray(departed.groupby(frame["run"]).cumsum() == 0)


def named_runs(frame: pd.DataFrame, size: str = "train_size") -> pd.DataFrame:
    """Return the frame with runs named; without `run`, the points of one size and seed are one run."""
    if "run" in frame.columns:
        return frame
    run = frame[size].map("{:g}".format)
    return frame.assign(run=run + "/" + frame["seed"].astype(str) if "seed" in frame.columns else run)
