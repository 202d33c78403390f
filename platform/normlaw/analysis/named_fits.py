"""Fits by fitters that the user names, beside those of the protocol: one's own laws on the same points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from normlaw_registry import Catalogue, FitResult, Fitter, validate_params
from normlaw_registry.curves import early_points
from normlaw_registry.host.fitting import alpha_of, fit_guarded

if TYPE_CHECKING:
    from normlaw_registry import Findings


def check_fitters(fitters: Sequence[tuple[str, Mapping[str, Any]]], catalogue: Catalogue) -> None:
    """Refuse wrong fitters before anything is fitted, which may take minutes.

    Raises:
        UnknownComponentError: there is no such fitter; names the nearest.
        InputError: a parameter is wrong.

    """
    for name, params in fitters:
        validate_params(catalogue.get(Fitter, name), params)


def fit_by(
    fitters: Sequence[tuple[str, Mapping[str, Any]]],
    curves: pd.DataFrame,
    findings: Findings,
    catalogue: Catalogue,
    confidence: float = 0.95,
) -> tuple[dict[str, FitResult], pd.DataFrame]:
    """Fit each law by the fitters named.

    Early laws are given the points of the protocol's early window (all points before the optimum where it has
    none), the two others the optima of runs.

    Args:
        fitters: names with parameters; those left out have their defaults.
        curves: the points that were analysed.
        findings: the protocol's, with its frames filled in.
        catalogue: where the fitters are found.
        confidence: level of the limits.

    Returns:
        The fits by name, and a row a parameter: fitter, law, parameter, value, stderr, low, high.

    Raises:
        UnknownComponentError: there is no such fitter; names the nearest.
        InputError: a parameter is wrong, or there are too few points.
        NormlawError: the fitter failed in a way of its own.

    """
    optima, per_size = findings.optima, findings.size_optima
    assert optima is not None
    assert per_size is not None
    fits: dict[str, FitResult] = {}
    tables = []
    for name, params in fitters:
        fitter = catalogue.get(Fitter, name)
        points = (
            early_points(curves, per_size, findings.window, findings.first_train_size)
            if fitter.law == "early_law"
            else optima.reset_index(drop=True)
        )
        fits[name] = fit = fit_guarded(fitter, points, catalogue, params)
        limits = fit.conf_int(alpha_of(confidence))
        table = pd.DataFrame({"value": fit.params, "stderr": fit.bse, "low": limits[0], "high": limits[1]})
        tables.append(table.rename_axis("parameter").reset_index().assign(fitter=name, law=fitter.law))
    columns = ["fitter", "law", "parameter", "value", "stderr", "low", "high"]
    return fits, pd.concat(tables, ignore_index=True).reindex(columns=columns)
