"""What each endpoint law says about train sizes that were not used to fit it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from normlaw_registry import Catalogue, FitResult, Fitter, InputError, NormlawError
from normlaw_registry.curves.columns import floats
from normlaw_registry.host.fitting import fit_guarded


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


def interval(fit: FitResult, points: pd.DataFrame, confidence: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return prediction limits of the error, (n, 2); NaN for a fitter that has no `prediction_interval`."""
    method = getattr(fit, "prediction_interval", None)
    if method is None:
        return np.full((len(points), 2), np.nan)
    limits = np.asarray(method(points, alpha=1 - confidence), dtype=np.float64)
    return np.exp(np.minimum(limits, 700.0))  # beyond, a float holds no number
