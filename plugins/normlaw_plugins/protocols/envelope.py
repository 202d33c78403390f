"""The protocol `envelope`: one envelope for all train sizes and one departure, without windows or argmin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normlaw_registry import AnalysisContext, AnalysisProtocol, Findings, Params

if TYPE_CHECKING:
    import pandas as pd


def analyse(curves: pd.DataFrame, params: Params, context: AnalysisContext) -> Findings:  # noqa: ARG001
    """Fit the laws without windows.

    With x = ln norm and p = ln P,

        ln error = link(c - gamma_0 p - G(x) + H(x - gamma_2 p)),

    G the envelope and H >= 0 the departure, both rising, the link saturating at the chance level: see
    `normlaw_plugins.protocols.envelope_model`. gamma_1 is the mean of G' over the norms at which the study's
    curves depart, gamma_2 the exponent of these norms, gamma_pred = gamma_0 + gamma_1 gamma_2 is held against
    gamma_meas, which rests on the least errors alone.

    Raises:
        InputError: the norms do not change.

    """
    from normlaw_plugins.protocols.envelope_model.laws import laws

    return laws(curves, context)


ENVELOPE = AnalysisProtocol(
    name="envelope",
    summary="One envelope and one departure for all train sizes, fitted to all points; no window, no argmin",
    source="finite-size scaling with a curved envelope; mixed model: Lindstrom and Bates 1990",
    formula=(
        r"\ln\varepsilon = c - \gamma_0 \ln P - G(\ln\lambda) + H(\ln\lambda - \gamma_2 \ln P), \qquad "
        r"\gamma_{pred} = \gamma_0 + \gamma_1 \gamma_2"
    ),
    analyse=analyse,
    by_default=True,
)
