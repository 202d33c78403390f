"""Laws and models scored on train sizes that they were not fitted to: the largest ones, left out in order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from normlaw.analysis.extrapolation import predictions
from normlaw.analysis.model import Ask, OwnModel
from normlaw_registry import Catalogue, InputError, NormlawError
from normlaw_registry.curves.columns import floats

FEWEST_LEFT = 3
"""Train sizes that must be left to fit."""


def hold_out(
    optima: pd.DataFrame, catalogue: Catalogue, count: int, confidence: float, own: OwnModel | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit every endpoint law, and the protocol's model, without the largest train sizes; score what they say.

    Args:
        optima: optima of runs: run, train_size, log_error.
        catalogue: where the laws are found.
        count: how many of the largest train sizes are held out.
        confidence: level of the intervals.
        own: the protocol's model, if it has one.

    Returns:
        The predictions beside what was measured, as `fold` has them, and their `scores`.

    Raises:
        InputError: fewer than 3 train sizes would be left.

    """
    table = fold(optima, catalogue, count, confidence, own)
    return table, scores(table)


def in_order(
    optima: pd.DataFrame, catalogue: Catalogue, most: int, confidence: float, own: OwnModel | None = None
) -> pd.DataFrame:
    """Leave out the largest train size, then the two largest, up to the `most` largest.

    Arguments as `hold_out` has them.

    Returns:
        The rows of `fold` for each of these, all that a law or model is ever asked: a held-out size is
        predicted once from all smaller ones, and again from fewer.

    """
    check(optima, most)  # at once, before anything is fitted
    folds = [fold(optima, catalogue, count, confidence, own) for count in range(1, most + 1)]
    return pd.concat(folds, ignore_index=True)


def check(optima: pd.DataFrame, count: int) -> list[int]:
    """Return the train sizes, rising.

    Raises:
        InputError: without the `count` largest there are too few left.

    """
    sizes = sorted(int(size) for size in optima["train_size"].unique())
    if not 0 < count <= len(sizes) - FEWEST_LEFT:
        raise InputError(
            f"hold-out of {count} train sizes: there are {len(sizes)}, and at least {FEWEST_LEFT} must be left "
            "to fit"
        )
    return sizes


def fold(
    optima: pd.DataFrame, catalogue: Catalogue, count: int, confidence: float, own: OwnModel | None
) -> pd.DataFrame:
    """Return what is predicted for the `count` largest train sizes from the others, beside what was measured.

    Columns: fitter, fitted_to (largest train size fitted), train_size, decades (log10 of their ratio),
    test_error, low, high, problem (why nothing is predicted), measured (geometric mean of the runs' least
    errors), relative_error (predicted/measured - 1), abs_log_error (|ln predicted - ln measured|), runs, inside
    (share of the runs whose least error lies within low and high), mean_inside (whether `measured` does: 1 or
    0; both NaN where there are no limits).
    """
    sizes = check(optima, count)
    held, last = sizes[-count:], sizes[-count - 1]
    left = optima[~optima["train_size"].isin(held)]
    rest = optima[optima["train_size"].isin(held)]
    table = predictions(left, catalogue, held, confidence)
    if own is not None:
        table = pd.concat([model_rows(own, held, last), table], ignore_index=True)
    table.insert(1, "fitted_to", last)
    errors = {size: floats(rest[rest["train_size"] == size], "log_error") for size in held}
    of_row = [errors[int(size)] for size in table["train_size"]]
    log_measured = np.array([error.mean() for error in of_row])
    with np.errstate(divide="ignore"):  # a law may say an error that no float holds
        log_predicted, low, high = (np.log(floats(table, name)) for name in ("test_error", "low", "high"))
    limited = np.isfinite(floats(table, "low")) & np.isfinite(floats(table, "high"))
    share = [((lo <= e) & (e <= hi)).mean() for e, lo, hi in zip(of_row, low, high, strict=True)]
    return table.assign(
        measured=np.exp(log_measured),
        relative_error=np.expm1(log_predicted - log_measured),
        abs_log_error=np.abs(log_predicted - log_measured),
        runs=[len(error) for error in of_row],
        inside=np.where(limited, share, np.nan),
        mean_inside=np.where(limited, (low <= log_measured) & (log_measured <= high), np.nan),
    )


def model_rows(own: OwnModel, sizes: Sequence[int], last: int) -> pd.DataFrame:
    """Return the least errors that a model says of sizes it was fitted without; columns as `predictions`."""
    try:
        ask = own.without(sizes)
        return said_by(own.name, ask, sizes, last)
    except NormlawError as error:
        frame = pd.DataFrame({"fitter": own.name, "train_size": list(sizes)})
        decades = np.log10(np.asarray(sizes, dtype=np.float64) / last)
        return frame.assign(decades=decades, test_error=np.nan, low=np.nan, high=np.nan, problem=str(error))


def said_by(name: str, ask: Ask, sizes: Sequence[int], last: int) -> pd.DataFrame:
    """Return the least errors that a model says; `last` is the largest train size that it was fitted to."""
    at = np.asarray(sizes, dtype=np.float64)
    found = ask(at, None)
    logs = {"test_error": "log_error", "low": "log_error_low", "high": "log_error_high"}
    values = {column: np.exp(np.minimum(floats(found, log), 700.0)) for column, log in logs.items()}
    frame = pd.DataFrame({"fitter": name, "train_size": list(sizes), "decades": np.log10(at / last)})
    known = np.isfinite(values["test_error"])
    return frame.assign(**values, problem=np.where(known, "", "the model gives no number here"))


def scores(table: pd.DataFrame, by: Sequence[str] = ("fitter",)) -> pd.DataFrame:
    """Return how good predictions were, a row a law or model, best first.

    Columns: those of `by`, predicted (share of what was asked that it could predict), abs_log_error (mean
    absolute error of ln error: 0.05 is 5 %), rms_log_error, relative_error (mean), inside (share of runs within
    their limits), mean_inside (share of train sizes whose mean is), decades (farthest), problem (the first).
    A law that could not predict everything stands behind those that could: its mean is over fewer cases.

    Args:
        table: rows as `fold` has them.
        by: what a row is about; with `train_size` the score of each held-out size.

    """
    found = []
    for key, rows in table.groupby(list(by), sort=False):
        good = rows[rows["problem"] == ""]
        limited = good[good["inside"].notna()]
        problems = rows.loc[rows["problem"] != "", "problem"]
        weights = floats(limited, "runs")
        error = floats(good, "abs_log_error")
        found.append(
            {
                **dict(zip(by, key, strict=True)),
                "predicted": len(good) / len(rows),
                "abs_log_error": float(error.mean()) if len(good) else np.nan,
                "rms_log_error": float(np.sqrt((error**2).mean())) if len(good) else np.nan,
                "relative_error": float(good["relative_error"].mean()) if len(good) else np.nan,
                "inside": float(np.average(limited["inside"], weights=weights)) if len(limited) else np.nan,
                "mean_inside": float(limited["mean_inside"].mean()) if len(limited) else np.nan,
                "decades": float(rows["decades"].max()),
                "problem": str(problems.iloc[0]) if len(problems) else "",
            }
        )
    order = [*(column for column in by if column != "fitter"), "predicted", "abs_log_error"]
    rising = [column != "predicted" for column in order]
    return pd.DataFrame(found).sort_values(order, ascending=rising, kind="stable").reset_index(drop=True)
