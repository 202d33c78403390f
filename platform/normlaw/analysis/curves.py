"""The frame of learning curves: what it must hold, and its points made ready for fits."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from normlaw.analysis.ranges import LOSSES, out_of_range
from normlaw.analysis.unfitted import NotFittedError
from normlaw_registry import AnalysisWarning, InputError, Response
from normlaw_registry.errors import brief, suggestion

if TYPE_CHECKING:
    from normlaw.analysis.options import Options

REQUIRED = ("train_size", "log_norm", "test_error")
VALIDATION = "validation_error"
MIN_SIZES = 3
MIN_POINTS = 4
DECIMALS = 9
"""Log norms that agree to so many decimals are one norm to a fit, which squares their differences."""


def restricted(curves: pd.DataFrame, options: Options, norm: str | None = None) -> pd.DataFrame:
    """Return the curves without the norms and train sizes that the options leave out.

    Args:
        curves: as `prepare` takes them, or with a column log_norm/<measure> for each measure.
        options: the choices.
        norm: the measure that `from_norm` is of, where there are several.

    """
    kept = pd.Series(data=True, index=curves.index)
    column = "log_norm" if "log_norm" in curves.columns else f"log_norm/{norm}"
    if options.from_norm is not None and column in curves.columns:
        at_least = log(options.from_norm) - 10.0**-DECIMALS
        kept &= pd.to_numeric(curves[column], errors="coerce") >= at_least
    if options.from_train_size is not None and "train_size" in curves.columns:
        kept &= pd.to_numeric(curves["train_size"], errors="coerce") >= options.from_train_size
    return curves if kept.all() else curves[kept]


def prepare(
    curves: pd.DataFrame, response: Response | None = None
) -> tuple[pd.DataFrame, tuple[AnalysisWarning, ...]]:
    """Return the points that can be fitted, sorted along each run, and what was left out.

    Args:
        curves: columns train_size, log_norm (natural log), test_error (fraction), optionally run, seed,
            step, alpha, validation_error (fraction). Without `run`, the points of one train size and seed
            are one run.
        response: what is analysed, by default the test error. For the test loss, the columns test_loss and
            validation_loss are taken, and those about errors are not needed.

    Returns:
        The frame with columns run (str), train_size (int), seed, log_norm, test_error, log_error and the
        optional columns given, sorted by train size, run and norm; and the warnings. The column test_error
        holds the response, less its floor, and validation_error what is like it.

    Raises:
        NotFittedError: too little is left to fit; holds the points.
        InputError: a column is missing, or a number is out of range.

    """
    response = response or Response()
    frame = _checked(curves, response)
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
    zero = finite & (frame["test_error"] <= 0)
    if response.floor:
        code, what = "at_floor", f"{response.plain} at or below the floor {response.floor:g}, and so no excess"
    else:
        code, what = "zero_error", f"{response.plain} 0"
    noun = {"error": "errors", "loss": "losses"}[response.noun.split()[-1]]
    leave_out(
        zero,
        code,
        lambda points, runs: (
            f"{points} points of {runs} runs have {what}, which has no logarithm, and were "
            f"left out: the least {noun} of these runs are too high"
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
        refuse_too_little(frame, response)
    if "seed" not in frame.columns:
        frame["seed"] = frame.groupby("train_size")["run"].transform(lambda runs: pd.factorize(runs)[0])
    frame["log_error"] = np.log(frame["test_error"])
    order = ["train_size", "run", "log_norm"]
    points = frame.sort_values(order, kind="stable").reset_index(drop=True)
    refuse_too_little(points, response)
    return points, tuple(warnings)


def _checked(curves: pd.DataFrame, response: Response) -> pd.DataFrame:
    """Return a copy with the required columns in float64, NaN where a value is no number, and with `run`.

    The columns of the response are called as those of the error, and the floor is taken off.
    """
    required = ["train_size", "log_norm", response.quantity]
    for column in required:
        if column not in curves.columns:
            raise InputError(f"curves lack the column {column!r}: {suggestion(column, list(curves.columns))}")
    own = {response.quantity: "test_error", response.quantity.replace("test", "validation"): "validation_error"}
    others = [c for c in (*own.values(), *LOSSES) if c not in own]
    frame = curves.drop(columns=others, errors="ignore")
    for column in required:
        frame[column] = pd.to_numeric(frame[column], errors="coerce").astype("float64")
    _refuse_out_of_range(frame)
    frame = frame.rename(columns=own)
    if VALIDATION in frame.columns:
        validation = pd.to_numeric(frame[VALIDATION], errors="coerce").astype("float64")
        if response.is_fraction and not validation.between(0.0, 1.0).all():
            raise InputError("validation_error must be a fraction in [0, 1] at every point, or be left out")
        if not validation.ge(0.0).all():
            raise InputError("validation_loss must be a number of at least 0 at every point, or be left out")
        frame[VALIDATION] = validation - response.floor
    frame["test_error"] -= response.floor
    if "run" not in frame.columns:
        frame["run"] = frame["train_size"].map("{:g}".format)
        if "seed" in frame.columns:
            frame["run"] += "/" + frame["seed"].astype(str)
    frame["run"] = frame["run"].astype(str)
    return frame


def _refuse_out_of_range(frame: pd.DataFrame) -> None:
    for column in (*REQUIRED, *LOSSES, "mean_log_optimal_norm"):
        if column in frame.columns:
            number = frame[column].replace([np.inf, -np.inf], np.nan)  # infinite points are left out
            for bad, what in out_of_range(column, number):
                if bad.any():
                    raise InputError(f"{column} {what}, got {float(number[bad].iloc[0])!r}")


def refuse_too_little(frame: pd.DataFrame, response: Response) -> None:
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
        if response.floor and not len(frame):
            message += f"; is the floor {response.floor:g} too high? No {response.plain} is above it"
        raise NotFittedError(message, frame, response) if len(frame) else InputError(message)
