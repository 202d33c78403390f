"""The frame of learning curves: what it must hold, and its points made ready for fits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from normlaw.analysis.ranges import out_of_range
from normlaw.analysis.unfitted import NotFittedError
from normlaw_registry import AnalysisWarning, InputError
from normlaw_registry.errors import brief, suggestion

REQUIRED = ("train_size", "log_norm", "test_error")
OPTIONAL = ("run", "seed", "step", "alpha", "measure", "validation_error")
MIN_SIZES = 3
MIN_POINTS = 4
DECIMALS = 9
"""Log norms that agree to so many decimals are one norm to a fit, which squares their differences."""


def prepare(curves: pd.DataFrame) -> tuple[pd.DataFrame, tuple[AnalysisWarning, ...]]:
    """Return the points that can be fitted, sorted along each run, and what was left out.

    Args:
        curves: columns train_size, log_norm (natural log), test_error (fraction), optionally run, seed,
            step, alpha, validation_error (fraction). Without `run`, the points of one train size and seed
            are one run.

    Returns:
        The frame with columns run (str), train_size (int), seed, log_norm, test_error, log_error and the
        optional columns given, sorted by train size, run and norm; and the warnings.

    Raises:
        NotFittedError: too little is left to fit; holds the points.
        InputError: a column is missing, or a number is out of range.

    """
    frame = _checked(curves)
    warnings: list[AnalysisWarning] = []

    def leave_out(which: pd.Series[bool], code: str, what: Callable[[int, int], str]) -> None:
        """Note what is left out: `what` gets the numbers of points and of runs."""
        if which.any():
            message = what(int(which.sum()), frame.loc[which, "run"].nunique())
            warnings.append(AnalysisWarning(code=code, message=message))

    finite = pd.Series(
        np.isfinite(frame[list(REQUIRED)].to_numpy(dtype=np.float64)).all(axis=1), index=frame.index
    )
    leave_out(
        ~finite,
        "points_not_finite",
        lambda points, runs: f"{points} points of {runs} runs are not finite and were left out",
    )
    zero = finite & (frame["test_error"] == 0)
    leave_out(
        zero,
        "zero_error",
        lambda points, runs: (
            f"{points} points of {runs} runs have test error 0, which has no logarithm, and were "
            "left out: the least errors of these runs are too high"
        ),
    )
    frame = frame[finite & ~zero]
    short = frame["log_norm"].round(DECIMALS).groupby(frame["run"]).transform("nunique") < MIN_POINTS
    leave_out(
        short,
        "short_runs",
        lambda points, runs: f"{runs} runs have fewer than {MIN_POINTS} distinct norms and were left out",
    )
    frame = frame[~short].copy()
    frame["train_size"] = frame["train_size"].round().astype("int64")
    mixed = frame.groupby("run")["train_size"].nunique() > 1
    if mixed.any():
        raise InputError(
            f"run {brief(mixed.idxmax())} holds several train sizes: give each curve a name of its own"
        )
    if not len(frame):
        refuse_too_little(frame)
    if "seed" not in frame.columns:
        frame["seed"] = frame.groupby("train_size")["run"].transform(lambda runs: pd.factorize(runs)[0])
    frame["log_error"] = np.log(frame["test_error"])
    order = ["train_size", "run", "log_norm"]
    points = frame.sort_values(order, kind="stable").reset_index(drop=True)
    refuse_too_little(points)
    return points, tuple(warnings)


def _checked(curves: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with the required columns in float64, NaN where a value is no number, and with `run`."""
    for column in REQUIRED:
        if column not in curves.columns:
            raise InputError(f"curves lack the column {column!r}: {suggestion(column, list(curves.columns))}")
    frame = curves.copy()
    for column in REQUIRED:
        frame[column] = pd.to_numeric(frame[column], errors="coerce").astype("float64")
    if "validation_error" in frame.columns and not frame["validation_error"].between(0.0, 1.0).all():
        raise InputError("validation_error must be a fraction in [0, 1] at every point, or be left out")
    _refuse_out_of_range(frame)
    if "run" not in frame.columns:
        frame["run"] = frame["train_size"].map("{:g}".format)
        if "seed" in frame.columns:
            frame["run"] += "/" + frame["seed"].astype(str)
    frame["run"] = frame["run"].astype(str)
    return frame


def _refuse_out_of_range(frame: pd.DataFrame) -> None:
    for column in (*REQUIRED, "mean_log_optimal_norm"):
        if column in frame.columns:
            number = frame[column].replace([np.inf, -np.inf], np.nan)  # infinite points are left out
            for bad, what in out_of_range(column, number):
                if bad.any():
                    raise InputError(f"{column} {what}, got {float(number[bad].iloc[0])!r}")


def refuse_too_little(frame: pd.DataFrame) -> None:
    """Refuse what no law can be fitted to.

    Raises:
        NotFittedError: fewer than `MIN_SIZES` train sizes have a usable curve.

    """
    sizes = sorted(frame["train_size"].unique())
    if len(sizes) < MIN_SIZES:
        have = ", ".join(str(size) for size in sizes) or "none"
        message = (
            f"the laws need curves of at least {MIN_SIZES} train sizes with at least {MIN_POINTS} distinct "
            f"norms each, got {len(sizes)} ({have}): run more train sizes, or measure more often"
        )
        raise NotFittedError(message, frame) if len(frame) else InputError(message)
