"""The protocol `released`: what the paper's released code does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field, field_validator

from normlaw_plugins.protocols.power_laws import POWER_LAWS
from normlaw_registry import AnalysisContext, AnalysisProtocol, Findings, InputError, Params
from normlaw_registry.errors import brief

if TYPE_CHECKING:
    import pandas as pd


def _limit(value: object) -> object:
    if isinstance(value, str) and value.lower() == "none":
        return None
    if isinstance(value, int | float) and not value > 0:
        raise ValueError(f"limits of lambda/lambda_opt must be positive, got {value:g}")
    return value


Limit = Annotated[float | None, BeforeValidator(_limit)]
"""A limit of lambda/lambda_opt; None, or the text 'none', leaves that side open."""
Window = tuple[Limit, Limit]


class ReleasedParams(Params):
    """The choices that are made by hand."""

    window: Window | None = Field(
        default=None,
        description="limits of lambda/lambda_opt in the early fit, to be given; none leaves a side open",
    )
    first_index: int = Field(default=0, description="index of the first train size in the early fit")
    gamma2_first_index: int = Field(
        default=0, description="index of the first train size in the fit of the optimal norm"
    )
    offsets: bool = Field(
        default=False, description="fit the offsets q1 and q2 of the laws too, and compare with none"
    )

    @field_validator("window")
    @classmethod
    def _rising(
        cls, window: tuple[float | None, float | None] | None
    ) -> tuple[float | None, float | None] | None:
        low, high = window or (None, None)
        if low is not None and high is not None and not low < high:
            raise ValueError(f"the left limit {low:g} must lie below the right limit {high:g}")
        return window

    @field_validator("first_index", "gamma2_first_index")
    @classmethod
    def _counted(cls, index: int) -> int:
        if index < 0:
            raise ValueError(f"must not be negative, got {brief(index)}")
        return index


def analyse(curves: pd.DataFrame, params: ReleasedParams, context: AnalysisContext) -> Findings:
    """Fit the laws in a window chosen by hand, as the paper's released code does.

    gamma_1 is the mean over train sizes of the slopes of single mean curves, its error
    sqrt(sum(sigma_i^2) / n); gamma_2 and gamma_meas are lines in logarithms through the least points of curves.

    Raises:
        InputError: no window is given, or a train size has fewer than 3 points in it.

    """
    if params.window is None:
        raise InputError(
            "the protocol 'released' fits inside a window chosen by hand: give the limits of "
            "lambda/lambda_opt, or use the protocol 'automatic'"
        )
    from normlaw_plugins.protocols.mean_slopes import laws_of_mean_curves
    from normlaw_plugins.protocols.offsets import with_offsets

    findings = laws_of_mean_curves(
        curves, context, params.window, params.first_index, params.gamma2_first_index
    )
    return with_offsets(findings, curves, context) if params.offsets else findings


RELEASED = AnalysisProtocol(
    name="released",
    summary="What the paper's released code does, in a window chosen by hand",
    source="code released with D'Amico, Bocchi, Negri 2025, arXiv:2505.13230",
    formula=(
        r"\varepsilon = k_1\, \lambda^{-\gamma_1}, \qquad \lambda_{opt} = k_2 P^{\gamma_2}, \qquad "
        r"\varepsilon_{opt} = k P^{-\gamma}, \qquad \gamma_{pred} = \gamma_1 \gamma_2"
    ),
    params=ReleasedParams,
    analyse=analyse,
    fitters=POWER_LAWS,
)
