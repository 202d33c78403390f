"""The protocol `automatic`: no number chosen by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from normlaw_plugins.protocols.power_laws import POWER_LAWS
from normlaw_registry import AnalysisContext, AnalysisProtocol, Findings, Params
from normlaw_registry.errors import brief

if TYPE_CHECKING:
    import pandas as pd

LEAST_DRAWS = 100
MOST_DRAWS = 10_000
"""The standard error is known to 0.7 % then; each draw takes up to a megabyte of memory."""


class AutomaticParams(Params):
    """The bootstrap, and what is fitted besides."""

    draws: int = Field(default=400, description="number of bootstrap draws, 100 to 10000")
    bootstrap_seed: int = Field(default=0, description="seed of the bootstrap")
    offsets: bool = Field(
        default=False, description="fit the offsets q1 and q2 of the laws too, and compare with none"
    )

    @field_validator("draws")
    @classmethod
    def _enough(cls, draws: int) -> int:
        if not LEAST_DRAWS <= draws <= MOST_DRAWS:
            raise ValueError(
                f"must be at least {LEAST_DRAWS} for confidence limits and {MOST_DRAWS} at most, "
                f"got {brief(draws)}"
            )
        return draws

    @field_validator("bootstrap_seed")
    @classmethod
    def _natural(cls, seed: int) -> int:
        if seed < 0:
            raise ValueError(f"must not be negative, got {brief(seed)}")
        return seed


def analyse(curves: pd.DataFrame, params: AutomaticParams, context: AnalysisContext) -> Findings:
    """Fit the laws with windows and first train sizes averaged over.

    All windows between the onset of the fall and the optimum, all first train sizes and some shapes of the
    approach to the optimum are fitted and averaged with weights exp(-(chi^2 + 2 k + 2 N_cut) / 2), so that
    leaving points out costs as much as spending a parameter on each. Limits come from a bootstrap of whole runs
    and from the spread over choices.

    Raises:
        InputError: fewer than 3 train sizes, or too few points before the optimum for any admissible window.

    """
    from normlaw_plugins.protocols.averaging import averaged_laws
    from normlaw_plugins.protocols.offsets import with_offsets

    findings = averaged_laws(curves, context, params.draws, params.bootstrap_seed)
    return with_offsets(findings, curves, context) if params.offsets else findings


AUTOMATIC = AnalysisProtocol(
    name="automatic",
    summary="All windows and first train sizes, averaged by how well they fit; nothing chosen by hand",
    source="weights: Jay and Neil 2020, arXiv 2008.01069",
    formula=(
        r"\varepsilon = k_1(P)\, \lambda^{-\gamma_1}, \qquad \lambda_{opt} = k_2 P^{\gamma_2}, \qquad "
        r"\varepsilon_{opt} = k P^{-\gamma}, \qquad \gamma_{pred} = \gamma_1 \gamma_2"
    ),
    params=AutomaticParams,
    analyse=analyse,
    fitters=POWER_LAWS,
)
