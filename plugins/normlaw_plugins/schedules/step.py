"""A learning rate that falls in steps."""

from __future__ import annotations

from bisect import bisect_right

from pydantic import Field, field_validator

from normlaw_plugins.schedules.falling import progress
from normlaw_registry import Params, Schedule


class StepParams(Params):
    """Where it falls, and by how much."""

    milestones: tuple[float, ...] = Field(
        description="where the rate falls, as fractions of the steps after the warm-up, such as [0.5, 0.75]"
    )
    factor: float = Field(0.1, gt=0, lt=1, description="what it falls by at each milestone")

    @field_validator("milestones")
    @classmethod
    def _ascending_fractions(cls, milestones: tuple[float, ...]) -> tuple[float, ...]:
        if not milestones:
            raise ValueError("a step schedule needs `milestones`, such as [0.5, 0.75]")
        if any(not 0 < m < 1 for m in milestones) or list(milestones) != sorted(set(milestones)):
            raise ValueError("`milestones` are fractions between 0 and 1 in ascending order")
        return milestones


def factor(params: StepParams, step: int, steps: int) -> float:
    """Return `factor` to the power of the number of milestones at or below the part done."""
    return float(params.factor ** bisect_right(params.milestones, progress(step, steps)))


STEP = Schedule(
    name="step",
    summary="The learning rate falls by a factor at milestones",
    formula=r"g^{\,\#\{m \le p\}}",
    params=StepParams,
    factor=factor,
)
