"""From the frame of curves to an `Analysis`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from normlaw.analysis.abscissas import compare_abscissas
from normlaw.analysis.checks import check_findings
from normlaw.analysis.choosing import choose
from normlaw.analysis.collapse import collapse_quality
from normlaw.analysis.curves import prepare, restricted
from normlaw.analysis.extrapolation import predictions
from normlaw.analysis.hold_out import hold_out, said_by
from normlaw.analysis.layer_growth import layer_growth
from normlaw.analysis.model import OwnModel, checked, own_model
from normlaw.analysis.named_fits import check_fitters, fit_by
from normlaw.analysis.options import Options
from normlaw.analysis.results import Analysis, given
from normlaw.analysis.running import run
from normlaw.analysis.scaling_collapse import ScalingCollapse, scaling_collapse
from normlaw.analysis.unfitted import NotFittedError
from normlaw.study.collapse_choice import LOGARITHMIC
from normlaw_registry import AnalysisWarning, InputError
from normlaw_registry.curves import floats, run_optima
from normlaw_registry.dataset import EXAMPLES
from normlaw_registry.errors import ComponentError

if TYPE_CHECKING:
    import pandas as pd

    from normlaw_registry import Catalogue, Findings


def analyse(
    curves: pd.DataFrame,
    catalogue: Catalogue,
    options: Options | None = None,
    whole: pd.DataFrame | None = None,
    unit: str = EXAMPLES,
) -> Analysis:
    """Fit the laws to learning curves.

    Args:
        curves: one row a measured point: train_size, log_norm (natural log), test_error (fraction) or, where
            the options say so, test_loss, and optionally run, seed, step, alpha, validation_error (fraction;
            chooses the optima) or validation_loss. A
            `mean_log_optimal_norm` column, constant within a train size, is handed to the protocol.
        catalogue: where the protocol and the fitters are found.
        options: the protocol and its choices; by default the protocol that says so of itself.
        whole: the curves with all that was measured, as `normlaw.curves` returns them, for `compare_norms`,
            `collapse` and how the norms of layers grow; default: the curves themselves, of which no layers are
            known. Only of these the options leave out norms and train sizes.
        unit: what train sizes count, for axes and tables.

    Returns:
        Exponents with standard errors and confidence limits, warnings, tables.

    Raises:
        NotFittedError: the curves hold too little for the laws; says what is needed.
        InputError: the frame cannot be used.
        NormlawError: the protocol or a fitter failed in a way of its own; names the plugin.

    """
    options = options or Options()
    chosen = choose(options, catalogue)
    protocol, params = chosen.protocol, chosen.params
    check_fitters(options.named_fitters(), catalogue)
    kept = restricted(curves, options)
    points, warnings = prepare(kept, options.measured)
    try:
        findings = run(protocol, params, points, catalogue, options.confidence, options.measured)
    except ComponentError:
        raise
    except InputError as error:
        raise NotFittedError(str(error), points, options.measured) from error
    collapse = collapse_quality(points, given(findings.optima))
    own = own_model(protocol, params, points, catalogue, options)
    tables, extras = extensions(own, points, findings, catalogue, options)
    if named := options.named_fitters():
        fits, tables["fitters"] = fit_by(named, points, findings, catalogue, options.confidence)
        findings = replace(findings, fits={**findings.fits, **fits})
        extras["fitters"] = tables["fitters"].to_dict("records")
    compared: tuple[AnalysisWarning, ...] = ()
    if options.compare_norms:
        rest = kept if whole is None else whole
        found = compare_abscissas(rest, options.confidence, response=options.measured)
        tables["abscissas"], compared = found.table, found.warnings
        extras["abscissas"] = {
            "total_log_error": found.total,
            "method": list(found.method),
            "compared": found.table.to_dict("records"),
        }
    growth = None
    if whole is not None:
        at = given(findings.optima)
        growth = layer_growth(whole, points, at, catalogue, options.confidence, options.measured)
    if growth is not None:
        tables |= growth.tables()
        extras["layer_growth"] = growth.to_dict()
    if collapse:
        tables["collapse"] = collapse.profile
    scaling: ScalingCollapse | None = None
    if options.collapse is not None:
        scaling, more = scaling_of(options, kept, whole, findings)
        compared = (*compared, *more)
    return Analysis(
        protocol=protocol.name,
        confidence=options.confidence,
        options=options,
        curves=points,
        unit=unit,
        findings=findings,
        added_tables=tables,
        scaling_collapse=scaling,
        layer_growth=growth,
        extras={"collapse": collapse.to_dict() if collapse else None, **extras},
        warnings=(*chosen.notes, *warnings, *findings.warnings, *compared, *check_findings(points, findings)),
    )


def scaling_of(
    options: Options, curves: pd.DataFrame, whole: pd.DataFrame | None, findings: Findings
) -> tuple[ScalingCollapse | None, tuple[AnalysisWarning, ...]]:
    """Return the collapse of normalised curves and its warnings; None where it cannot be said."""
    assert options.collapse is not None
    if options.sizes_elsewhere:
        what = f"sizes in {options.collapse_over!r} are not those of the laws: `normlaw.collapse` compares them"
        return None, (AnalysisWarning(code="collapse_not_said", message=what),)
    departed = findings.tables.get("departures")
    if options.collapse == "departure" and departed is None:
        what = "the protocol finds no norms of departure: take the abscissa norm, or the protocol envelope"
        return None, (AnalysisWarning(code="collapse_not_said", message=what),)
    departures = (
        {}
        if departed is None
        else dict(zip(floats(departed, "train_size"), floats(departed, "log_norm"), strict=True))
    )
    try:
        found = scaling_collapse(
            curves if whole is None or options.collapse in LOGARITHMIC else whole,
            options.collapse,
            response=options.measured,
            confidence=options.confidence,
            departures=departures,
        )
    except InputError as error:
        return None, (AnalysisWarning(code="collapse_not_said", message=str(error)),)
    return found, tuple(found.warnings)


def extensions(
    own: OwnModel, points: pd.DataFrame, findings: Findings, catalogue: Catalogue, options: Options
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return tables and JSON results of what is done on request: hold-out and predictions."""
    import pandas as pd

    optima, level = given(findings.optima), options.confidence
    tables: dict[str, pd.DataFrame] = {}
    modelled = findings.predict is not None
    if options.hold_out:
        # the runs' own optima: those of a protocol may know the runs that are held out
        at = run_optima(points)
        scored = hold_out(at, catalogue, options.hold_out, level, own if modelled else None)
        tables["hold_out"], tables["hold_out_scores"] = scored
    if options.predict_at:
        table = predictions(optima, catalogue, options.predict_at, level)
        if modelled:
            ask = checked(own.protocol, findings.predict, catalogue)
            by_model = said_by(own.name, ask, options.predict_at, int(optima["train_size"].max()))
            table = pd.concat([by_model, table], ignore_index=True)
        tables["predictions"] = table
    return tables, {name: table.to_dict("records") for name, table in tables.items()}
