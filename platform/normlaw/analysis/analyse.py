"""From the frame of curves to an `Analysis`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from normlaw.analysis.checks import check_findings
from normlaw.analysis.collapse import collapse_quality
from normlaw.analysis.curves import prepare
from normlaw.analysis.extrapolation import hold_out, predictions
from normlaw.analysis.named_fits import fit_by
from normlaw.analysis.offsets import offsets
from normlaw.analysis.options import Options
from normlaw.analysis.protocols import get_protocol
from normlaw.analysis.results import Analysis, AnalysisWarning, Findings

if TYPE_CHECKING:
    import pandas as pd

    from normlaw_registry import Catalogue


def analyse(curves: pd.DataFrame, catalogue: Catalogue, options: Options | None = None) -> Analysis:
    """Fit the laws to learning curves.

    Args:
        curves: one row a measured point: train_size, log_norm (natural log), test_error (fraction), and
            optionally run, seed, step, alpha, validation_error (fraction; chooses the optima). A
            `mean_log_optimal_norm` column, constant within a train size, replaces the optima in the protocol
            `released`.
        catalogue: where the fitters are found.
        options: the protocol and its choices; by default the protocol `automatic`.

    Returns:
        Exponents with standard errors and confidence limits, warnings, tables.

    Raises:
        InputError: the frame cannot be used, or holds too little for the laws; says what is needed.

    """
    options = options or Options()
    points, warnings = prepare(curves)
    findings = get_protocol(options.protocol)(points, catalogue, options)
    collapse = collapse_quality(points, findings)
    tables, extras, more = extensions(points, findings, catalogue, options)
    if options.fitters:
        fits, tables["fitters"] = fit_by(options.fitters, points, findings, catalogue)
        findings = replace(findings, fits={**findings.fits, **fits})
        extras["fitters"] = tables["fitters"].to_dict("records")
    if collapse:
        tables["collapse"] = collapse.profile
    return Analysis(
        protocol=options.protocol,
        confidence=options.confidence,
        options=options,
        curves=points,
        findings=findings,
        tables_of_platform=tables,
        extras={"collapse": collapse.to_dict() if collapse else None, **extras},
        warnings=(*warnings, *findings.warnings, *check_findings(points, findings), *more),
    )


def extensions(
    points: pd.DataFrame, findings: Findings, catalogue: Catalogue, options: Options
) -> tuple[dict[str, pd.DataFrame], dict[str, Any], tuple[AnalysisWarning, ...]]:
    """Return tables, JSON results and warnings of what is done on request: offsets, hold-out, predictions."""
    tables: dict[str, pd.DataFrame] = {}
    extras: dict[str, Any] = {}
    warnings: tuple[AnalysisWarning, ...] = ()
    if options.offsets:
        tables["offsets"], warnings = offsets(points, findings, catalogue)
    if options.hold_out:
        tables["hold_out"], tables["hold_out_scores"] = hold_out(
            findings.optima, catalogue, options.hold_out, options.confidence
        )
    if options.predict_at:
        tables["predictions"] = predictions(findings.optima, catalogue, options.predict_at, options.confidence)
    for name, table in tables.items():
        extras[name] = table.to_dict("records")
    return tables, extras, warnings
