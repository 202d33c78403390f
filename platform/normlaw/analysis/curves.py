"""The frame of learning curves: what it must hold, and its points made ready for fits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from normlaw_registry import AnalysisWarning, InputError
from normlaw_registry.curves.columns import floats
from normlaw_registry.errors import suggestion

REQUIRED = ("train_size", "log_norm", "test_error")
OPTIONAL = ("run", "seed", "step", "alpha", "measure", "validation_error")
MIN_SIZES = 3
MIN_POINTS = 4


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
        InputError: a column is missing, an error lies outside [0, 1], or too little is left to fit.

    """
    for column in REQUIRED:
        if column not in curves.columns:
            raise InputError(f"curves lack the column {column!r}: {suggestion(column, list(curves.columns))}")
    frame = curves.copy()
    for column in REQUIRED:
        frame[column] = pd.to_numeric(frame[column], errors="coerce").astype("float64")
    outside = ~frame["test_error"].dropna().between(0.0, 1.0)
    if outside.any():
        value = frame["test_error"].dropna()[outside].iloc[0]
        raise InputError(f"test_error must be a fraction in [0, 1], got {value:g}")
    if (frame["train_size"].dropna() <= 0).any():
        raise InputError("train_size must be positive")
    if "validation_error" in frame.columns and not frame["validation_error"].between(0.0, 1.0).all():
        raise InputError("validation_error must be a fraction in [0, 1] at every point, or be left out")
    if "run" not in frame.columns:
        frame["run"] = frame["train_size"].map("{:g}".format)
        if "seed" in frame.columns:
            frame["run"] += "/" + frame["seed"].astype(str)
    frame["run"] = frame["run"].astype(str)
    warnings: list[AnalysisWarning] = []
    finite = np.isfinite(frame[list(REQUIRED)].to_numpy(dtype=np.float64)).all(axis=1)
    if not finite.all():
        runs = frame.loc[~finite, "run"].nunique()
        warnings.append(
            AnalysisWarning(
                code="points_not_finite",
                message=f"{int((~finite).sum())} points of {runs} runs are not finite and were left out",
            )
        )
    zero = finite & (floats(frame, "test_error") == 0)
    if zero.any():
        warnings.append(
            AnalysisWarning(
                code="zero_error",
                message=f"{int(zero.sum())} points of {frame.loc[zero, 'run'].nunique()} runs have test error "
                "0, which has no logarithm, and were left out: the least errors of these runs are too high",
            )
        )
    frame = frame[finite & ~zero]
    short = frame.groupby("run")["log_norm"].transform("nunique") < MIN_POINTS
    if short.any():
        warnings.append(
            AnalysisWarning(
                code="short_runs",
                message=f"{frame.loc[short, 'run'].nunique()} runs have fewer than {MIN_POINTS} distinct norms "
                "and were left out",
            )
        )
    frame = frame[~short].copy()
    frame["train_size"] = frame["train_size"].round().astype("int64")
    mixed = frame.groupby("run")["train_size"].nunique() > 1
    if mixed.any():
        raise InputError(f"run {mixed.idxmax()!r} holds several train sizes: give each curve a name of its own")
    refuse_too_little(frame)
    if "seed" not in frame.columns:
        frame["seed"] = frame.groupby("train_size")["run"].transform(lambda runs: pd.factorize(runs)[0])
    frame["log_error"] = np.log(frame["test_error"])
    order = ["train_size", "run", "log_norm"]
    return frame.sort_values(order, kind="stable").reset_index(drop=True), tuple(warnings)


def refuse_too_little(frame: pd.DataFrame) -> None:
    """Refuse what no law can be fitted to.

    Raises:
        InputError: fewer than `MIN_SIZES` train sizes have a usable curve.

    """
    sizes = sorted(frame["train_size"].unique())
    if len(sizes) < MIN_SIZES:
        have = ", ".join(str(size) for size in sizes) or "none"
        raise InputError(
            f"the laws need curves of at least {MIN_SIZES} train sizes with at least {MIN_POINTS} distinct "
            f"norms each, got {len(sizes)} ({have}): run more train sizes, or measure more often"
        )
