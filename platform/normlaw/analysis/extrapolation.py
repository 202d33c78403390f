"""What each endpoint law says about train sizes that were not used to fit it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from normlaw_registry import Catalogue, FitResult, Fitter, InputError, NormlawError
from normlaw_registry.curves.columns import floats
from normlaw_registry.fitting import fit_guarded

LN10 = float(np.log(10.0))

if TYPE_CHECKING:
    from normlaw_registry.findings import Predict


def endpoint_fits(optima: pd.DataFrame, catalogue: Catalogue) -> tuple[dict[str, FitResult], dict[str, str]]:
    """Fit every endpoint law of the catalogue to the optima of runs; return fits and reasons of failures."""
    fits: dict[str, FitResult] = {}
    failures: dict[str, str] = {}
    for name in catalogue.names(Fitter):
        fitter = catalogue.get(Fitter, name)
        if fitter.law != "endpoint_law":
            continue
        try:
            fits[name] = fit_guarded(fitter, optima.reset_index(drop=True), catalogue)
        except NormlawError as error:
            failures[name] = str(error)
    return fits, failures


def predictions(
    optima: pd.DataFrame, catalogue: Catalogue, sizes: Sequence[int], confidence: float
) -> pd.DataFrame:
    """Return the least error that each endpoint law predicts at other train sizes.

    Columns: fitter, train_size, decades (distance beyond the largest size fitted, log10), test_error, low,
    high (prediction interval of one new run's least error; NaN where the fitter gives none), problem (why a
    law could not be fitted; empty otherwise).

    Raises:
        InputError: a size is not positive.

    """
    if any(size <= 0 for size in sizes):
        raise InputError(f"train sizes to predict at must be positive, got {min(sizes)}")
    fits, failures = endpoint_fits(optima, catalogue)
    at = pd.DataFrame({"train_size": list(sizes)})
    decades = np.log10(floats(at, "train_size") / float(optima["train_size"].max()))
    frames = [
        at.assign(
            fitter=name,
            decades=decades,
            test_error=np.exp(fit.predict(at)),
            low=interval(fit, at, confidence)[:, 0],
            high=interval(fit, at, confidence)[:, 1],
            problem="",
        )
        for name, fit in fits.items()
    ]
    frames += [at.assign(fitter=name, decades=decades, problem=why) for name, why in failures.items()]
    table = pd.concat(frames, ignore_index=True)
    columns = ["fitter", "train_size", "decades", "test_error", "low", "high", "problem"]
    return table.reindex(columns=columns)


def model_predictions(
    protocol: str, predict: Predict, optima: pd.DataFrame, sizes: Sequence[int]
) -> pd.DataFrame:
    """Return the least error that the protocol's own model predicts; columns as `predictions`.

    `fitter` is 'protocol NAME'; low and high are the model's confidence limits.
    """
    at = np.asarray(sizes, dtype=np.float64)
    found = predict(at, None)
    return pd.DataFrame(
        {
            "fitter": f"protocol {protocol}",
            "train_size": list(sizes),
            "decades": np.log10(at / float(optima["train_size"].max())),
            "test_error": np.exp(floats(found, "log_error")),
            "low": np.exp(floats(found, "log_error_low")),
            "high": np.exp(floats(found, "log_error_high")),
            "problem": "",
        }
    )


def interval(fit: FitResult, points: pd.DataFrame, confidence: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return prediction limits of the error, (n, 2); NaN for a fitter that has no `prediction_interval`."""
    method = getattr(fit, "prediction_interval", None)
    if method is None:
        return np.full((len(points), 2), np.nan)
    limits = np.asarray(method(points, alpha=1 - confidence), dtype=np.float64)
    return np.exp(np.minimum(limits, 700.0))  # beyond, a float holds no number


def hold_out(
    optima: pd.DataFrame, catalogue: Catalogue, count: int, confidence: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit every endpoint law without the `count` largest train sizes, and score what it says about them.

    Args:
        optima: optima of runs: run, train_size, log_error.
        catalogue: where the laws are found.
        count: how many of the largest train sizes are held out.
        confidence: level of the prediction intervals.

    Returns:
        The predictions beside the measured geometric-mean errors (columns as `predictions`, then measured,
        relative_error = predicted/measured - 1), and the scores: fitter, rms_log_error, relative_error (mean),
        inside (share of held-out runs within their prediction interval), decades, problem; best first.

    Raises:
        InputError: fewer than 3 train sizes would be left.

    """
    sizes = np.unique(np.asarray(optima["train_size"]))
    if not 0 < count <= len(sizes) - 3:
        raise InputError(
            f"hold-out of {count} train sizes: there are {len(sizes)}, and at least 3 must be left to fit"
        )
    held = [int(size) for size in sizes[-count:]]
    left = optima[~optima["train_size"].isin(held)]
    rest = optima[optima["train_size"].isin(held)]
    table = predictions(left, catalogue, held, confidence)
    measured = np.exp(rest.groupby("train_size")["log_error"].mean())
    table["measured"] = table["train_size"].map(measured)
    table["relative_error"] = table["test_error"] / table["measured"] - 1
    scores = []
    for fitter, rows in table.groupby("fitter", sort=False):
        problem = str(rows["problem"].iloc[0])
        per_run = rest.merge(rows[["train_size", "low", "high"]], on="train_size")
        error = np.exp(floats(per_run, "log_error"))
        within = (error >= floats(per_run, "low")) & (error <= floats(per_run, "high"))
        log_ratio = np.log(floats(rows, "test_error") / floats(rows, "measured"))
        scores.append(
            {
                "fitter": fitter,
                "rms_log_error": float(np.sqrt((log_ratio**2).mean())),
                "relative_error": float(rows["relative_error"].mean()),
                "inside": float(within.mean()) if np.isfinite(floats(per_run, "low")).all() else np.nan,
                "decades": float(rows["decades"].max()),
                "problem": problem,
            }
        )
    ranked = pd.DataFrame(scores).sort_values("rms_log_error", na_position="last").reset_index(drop=True)
    return table, ranked
