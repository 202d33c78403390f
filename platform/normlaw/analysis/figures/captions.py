"""What to see in each figure, one line a figure: shown below it in reports and on MLflow's pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from normlaw.analysis.figures.departure import SHIFT
from normlaw.analysis.figures.seeds import band_told

if TYPE_CHECKING:
    from normlaw.analysis.cause.result import Cause
    from normlaw.analysis.results import Analysis
    from normlaw.analysis.scaling_collapse import ScalingCollapse
    from normlaw_registry import Findings

CAPTIONS: Mapping[str, str] = {
    "error_against_norm": "Mean test error against the norm: the curves of all train sizes fall together, then "
    "part; crosses are the optima{marks}{band}.",
    "collapse": "The same curves divided by their optima: one on another where the laws hold; the dashed "
    "line has the slope of the early law{overlap}.",
    "departure": "Every curve divided by the envelope{own}, against the norm in units of its departure: all "
    "train sizes follow one function where the laws hold{band}.",
    "local_exponent": "The envelope's local exponent with its {confidence} band: the early law is a power law "
    "where it is flat; dashed, gamma_1 over the norms at which the curves depart, its band with choices.",
    "optimal_norm": "The norm of {what} against the train size: on the line of slope gamma_2 where the law of "
    "that norm holds.",
    "endpoint_law": "The least error against the train size: the measured law and the predicted slope agree "
    "where the lines do; bands are {confidence} limits, up to ten times the largest train size.",
    "joint_region": "Regions that hold the predicted and the measured exponent with 68 and 95 % probability: "
    "the endpoint law is explained where they meet the diagonal.",
    "sensitivity": "Above, the exponents for every admissible choice, sorted, areas as weights: flat where "
    "choices do not matter; below, the early exponent over the two edges of the window.",
    "layer_norms": "What each layer of one run of the largest train size contributes to the norm, first layer "
    "above: at the beginning and at the end of training.",
    "layer_growth": "How each norm at the optimum grows with the train size, layer by layer, with {confidence} "
    "limits: right of zero it grows; exponents of layers add up to that of their product.",
    "singular_values": "Singular values of each layer's matrix in one run of the largest train size, the "
    "largest first: at the beginning and at the end of training.",
    "abscissas": "How much of what tells runs apart one envelope in each abscissa explains, for train sizes "
    "that it was not fitted to, with {confidence} limits: at 1 the curves are one curve; below 0 bars are cut.",
    "scaling_collapse": "Above, curves less the floor L0 and divided by their value at x = 1; below, their "
    "deviation "
    "Delta from one curve and the noise floor sigma of their seeds, with {confidence} bands: grey where Delta "
    "< sigma.",
    "collapse_floors": "The stretch of x in which Delta < sigma for every floor of the {noun} that L0 could "
    "be: the "
    "verdict rests on L0 where it is narrow.",
    "cause_curves": "The {noun} behind the fork against each variable, a mark an arm, train size and step: the "
    "marks of all arms lie on one curve where the error follows that variable.",
    "cause_shares": "How much of what tells arms and trunks apart one curve in each variable explains, for "
    "arms and for trunks that it was not fitted to, with {confidence} limits; below 0 bars are cut.",
    "cause_doses": "What each arm does to the {noun} (ln, mean over the points behind the fork, with "
    "{confidence} limits between trunks) against what it does to the norm.",
}
"""By name of the figure; what stands in braces depends on the study."""


def caption(name: str, analysis: Analysis) -> str:
    """Return the caption of a figure; empty for a name without one."""
    if name not in CAPTIONS:
        return ""
    text = CAPTIONS[name].format(
        marks=marks(analysis),
        what="least error, and diamonds where curves leave the envelope,"
        if "departures" in analysis.findings.tables
        else "least error",
        band=band(analysis),
        own=" of its train size" if has_own_envelopes(analysis.findings) else "",
        confidence=f"{analysis.confidence:.0%}",
        noun=analysis.response.plain,
        overlap="; grey, the norms that all train sizes have in common"
        if analysis.extras.get("collapse")
        else "",
    )
    return analysis.response.told(text)


def collapse_caption(name: str, found: ScalingCollapse) -> str:
    """Return the caption of a figure of a collapse."""
    return CAPTIONS[name].format(confidence=f"{found.confidence:.0%}", noun=found.response.plain)


def cause_caption(name: str, found: Cause) -> str:
    """Return the caption of a figure of arms."""
    return CAPTIONS[name].format(confidence=f"{found.confidence:.0%}", noun=found.response.plain)


def marks(analysis: Analysis) -> str:
    """Return what else stands in the figure of curves."""
    findings, told = analysis.findings, []
    if findings.window is not None:
        told.append("filled marks lie in the window of the early law")
    if "curves_fitted" in findings.tables:
        told.append("thick lines are fitted")
    if "envelope" in findings.tables:
        own = " of the largest train size" if has_own_envelopes(findings) else ""
        told.append(f"dashed is the envelope{own}")
    if "departures" in findings.tables:
        told.append("diamonds are where curves leave it")
    return "".join(f", {part}" for part in told)


def band(analysis: Analysis) -> str:
    """Return what the bands around curves are."""
    told = band_told(analysis.curves)
    return f"; bands: {told}" if told else ""


def has_own_envelopes(findings: Findings) -> bool:
    """Return whether the protocol gives each train size an envelope of its own."""
    return SHIFT in findings.tables.get("departures", ())
