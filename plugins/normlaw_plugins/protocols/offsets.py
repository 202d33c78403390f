"""The offsets q1 and q2 of the laws, fitted on request and compared with none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from normlaw_plugins.protocols.weights import POINTS_PER_DATUM
from normlaw_registry import AnalysisContext, AnalysisWarning, Findings, FitResult, InputError
from normlaw_registry.curves import early_points, floats


def with_offsets(findings: Findings, curves: pd.DataFrame, context: AnalysisContext) -> Findings:
    """Return the findings with the table `offsets`, and a warning for each offset that is preferred to none."""
    table, warnings = offsets(curves, findings, context)
    return replace(
        findings,
        tables={**findings.tables, "offsets": table},
        extras={**findings.extras, "offsets": table.to_dict("records")},
        warnings=(*findings.warnings, *warnings),
    )


def offsets(
    curves: pd.DataFrame, findings: Findings, context: AnalysisContext
) -> tuple[pd.DataFrame, tuple[AnalysisWarning, ...]]:
    """Fit the early law and the optimal norm with and without offset to the same points.

    The early law takes the window and first train size of the findings. The criterion is Akaike's with the
    small-sample term, n ln(RSS/n) + 2 k n/(n - k - 1), with n counted as independent data.

    Returns:
        One row a law: law, exponent and its error without and with the offset, the offset (q1 as a fraction,
        ln q2 as a natural log) and its error, delta_aic (with minus without), problem; and a warning for each
        offset that the criterion prefers.

    """
    optima, per_size = findings.optima, findings.size_optima
    assert optima is not None
    assert per_size is not None
    early = early_points(curves, per_size, findings.window, findings.first_train_size)
    rows = [
        _compare(context, early, "gamma_1", "q1", "early_power_law", "early_floor_power_law", POINTS_PER_DATUM),
        _compare(
            context,
            optima,
            "gamma_2",
            "log_q2",
            "optimal_norm_power_law",
            "optimal_norm_offset_power_law",
            1.0,
        ),
    ]
    warnings = tuple(
        AnalysisWarning(
            code="offset_preferred",
            message=f"{row['offset_name']} = {row['offset']:.3g} is preferred to none (delta AIC "
            f"{row['delta_aic']:.1f}); with it {row['exponent']} = {row['with_offset']:.3f} ± "
            f"{row['with_offset_stderr']:.3f}",
        )
        for row in rows
        if row["delta_aic"] < -2
    )
    return pd.DataFrame(rows), warnings


def _compare(
    context: AnalysisContext,
    points: pd.DataFrame,
    exponent: str,
    offset: str,
    without: str,
    with_offset: str,
    points_per_datum: float,
) -> dict[str, Any]:
    points = points.reset_index(drop=True)
    row: dict[str, Any] = {"exponent": exponent, "offset_name": offset, "delta_aic": np.nan, "problem": ""}
    response = "log_norm" if exponent == "gamma_2" else "log_error"
    criteria = []
    for label, name in (("without_offset", without), ("with_offset", with_offset)):
        try:
            fit = context.fit(name, points)
        except InputError as error:
            return {**row, "problem": str(error)}
        row[label], row[f"{label}_stderr"] = float(fit.params[exponent]), float(fit.bse[exponent])
        criteria.append(_akaike(fit, points, response, points_per_datum))
        if label == "with_offset":
            row["offset"], row["offset_stderr"] = float(fit.params[offset]), float(fit.bse[offset])
    return {**row, "delta_aic": criteria[1] - criteria[0]}


def _akaike(fit: FitResult, points: pd.DataFrame, response: str, points_per_datum: float) -> float:
    n = len(points) / points_per_datum
    k = len(fit.params) + 1.0
    square = float(((floats(points, response) - fit.predict(points)) ** 2).mean())
    small = 2 * k * n / (n - k - 1) if n > k + 1 else 2 * k
    return n * float(np.log(max(square, 1e-300))) + small
