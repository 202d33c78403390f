"""Schedules that fall over the whole run."""

from __future__ import annotations

from math import cos, pi

from pydantic import Field

from normlaw_registry import Params, Schedule


class FallingParams(Params):
    """Where it ends."""

    final_factor: float = Field(0.0, ge=0, le=1, description="the factor at the last step")


def progress(step: int, steps: int) -> float:
    """Return the part of the steps that is done, in [0, 1]."""
    return min(1.0, step / max(1, steps))


def linear(params: FallingParams, step: int, steps: int) -> float:
    """Return 1 - (1 - final) p, with p from 0 to 1."""
    return 1 - (1 - params.final_factor) * progress(step, steps)


def cosine(params: FallingParams, step: int, steps: int) -> float:
    """Return final + (1 - final) (1 + cos(pi p)) / 2, with p from 0 to 1.

    >>> [round(cosine(FallingParams(), step, 4), 3) for step in range(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """
    final = params.final_factor
    return final + (1 - final) * (1 + cos(pi * progress(step, steps))) / 2


COSINE = Schedule(
    name="cosine",
    summary="The learning rate falls as half a cosine",
    source="Loshchilov, Hutter 2017, arXiv:1608.03983, equation 5, without restarts",
    formula=r"\varphi + (1 - \varphi)\,\frac{1 + \cos(\pi p)}{2}",
    params=FallingParams,
    factor=cosine,
)
LINEAR = Schedule(
    name="linear",
    summary="The learning rate falls on a straight line",
    formula=r"1 - (1 - \varphi)\, p",
    params=FallingParams,
    factor=linear,
)
