"""Fits by fitters that the user names, beside those of the protocol: one's own laws on the same points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from normlaw_registry import Catalogue, FitResult, Fitter, NormlawError, validate_params

if TYPE_CHECKING:
    from normlaw.analysis.results import Findings


def early_points(
    curves: pd.DataFrame, size_optima: pd.DataFrame, window: tuple[float, float], first_train_size: int
) -> pd.DataFrame:
    """Return the points of the early fit: inside `window` in ln(lambda/lambda_opt), from a train size on."""
    log_optimum = curves["train_size"].map(size_optima.set_index("train_size")["log_norm"])
    inside = (curves["log_norm"] - log_optimum).between(*window)
    return curves[inside & (curves["train_size"] >= first_train_size)].reset_index(drop=True)


def fit_by(
    names: Sequence[str], curves: pd.DataFrame, findings: Findings, catalogue: Catalogue
) -> tuple[dict[str, FitResult], pd.DataFrame]:
    """Fit each law by the fitters named, with their default parameters.

    Early laws are given the points of the protocol's early window, the two others the optima of runs.

    Args:
        names: of fitters.
        curves: the points that were analysed.
        findings: the protocol's.
        catalogue: where the fitters are found.

    Returns:
        The fits by name, and a row a parameter: fitter, law, parameter, value, stderr, low, high (95 %).

    Raises:
        UnknownComponentError: there is no such fitter; names the nearest.
        InputError: there are too few points for it.
        NormlawError: the fitter failed in a way of its own.

    """
    fits: dict[str, FitResult] = {}
    tables = []
    for name in names:
        fitter = catalogue.get(Fitter, name)
        points = (
            early_points(curves, findings.size_optima, findings.window, findings.first_train_size)
            if fitter.law == "early_law"
            else findings.optima.reset_index(drop=True)
        )
        fits[name] = fit = fit_guarded(fitter, points, catalogue)
        limits = fit.conf_int()
        table = pd.DataFrame({"value": fit.params, "stderr": fit.bse, "low": limits[0], "high": limits[1]})
        tables.append(table.rename_axis("parameter").reset_index().assign(fitter=name, law=fitter.law))
    columns = ["fitter", "law", "parameter", "value", "stderr", "low", "high"]
    return fits, pd.concat(tables, ignore_index=True).reindex(columns=columns)


def fit_guarded(fitter: Fitter, points: pd.DataFrame, catalogue: Catalogue) -> FitResult:
    """Fit with default parameters; a plugin's own failure becomes a `NormlawError` that names the plugin."""
    try:
        return fitter.fit(points, validate_params(fitter, {}))
    except NormlawError:
        raise
    except Exception as error:  # a plugin's own code may fail in any way
        provider = catalogue.provider(Fitter, fitter.name).provider
        raise NormlawError(
            f"fitter {fitter.name!r} of {provider} failed: {type(error).__name__}: {error}"
        ) from error
