"""What is changed in a run's training besides its settings: from the beginning, or from a point on."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, Self

from pydantic import Field, NonNegativeInt, model_validator

from normlaw.base.typed import Model

FREE = "free"
"""The arm of a run in which nothing is changed: the trunk, trained to its end."""


class Moment(Model):
    """The first measuring point where this holds; give one of the three."""

    step: NonNegativeInt | None = Field(None, le=10**12, description="at this optimiser step or later")
    train_error: float | None = Field(None, ge=0, lt=1, description="training error at most this")
    log_norm: dict[str, float] = Field(
        default_factory=dict, description="a measure's natural log at least this, by the measure's name"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [self.step is not None, self.train_error is not None, bool(self.log_norm)]
        if sum(given) != 1 or len(self.log_norm) > 1:
            raise ValueError("give one of `step`, `train_error` and `log_norm` (with one measure)")
        return self

    def has_come(self, point: Mapping[str, float]) -> bool:
        """Return whether a measuring point is at this moment or behind it.

        >>> Moment(train_error=0.1).has_come({"step": 8.0, "train/error": 0.05})
        True
        """
        if self.step is not None:
            return point["step"] >= self.step
        if self.train_error is not None:
            return point["train/error"] <= self.train_error
        return all(point.get(f"log_norm/{name}", -inf) >= limit for name, limit in self.log_norm.items())


class HoldNorm(Model):
    """A norm that is kept at a value: after each step the weights are scaled back to it.

    The scaled weights are those with two axes or more, matrices and filters; biases and gains stay free.
    """

    of: str = Field(
        "weights",
        description="weights: the 2-norm of all of them together; layers: that of each by itself; or a "
        "measure of the run, where scaling all weights multiplies it by a power of the factor; a bare name "
        "means its value when the intervention starts",
    )
    log_norm: float | None = Field(None, description="natural log of the norm to hold")
    factor: float | None = Field(None, gt=0, description="holds this times the norm at the start")

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"of": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if self.log_norm is not None and self.factor is not None:
            raise ValueError("give `log_norm` or `factor`, not both")
        return self

    @property
    def measure(self) -> str | None:
        """Name of the measure that is held; None where it is the weights' own norm."""
        return None if self.of in ("weights", "layers") else self.of


class Intervention(Model):
    """What is changed in a run's training: from the beginning, or from a point on."""

    start: Moment | None = Field(None, description="when it begins; by default before the first step")
    hold_norm: HoldNorm | None = Field(None, description="keeps a norm at a value")
    temperature: float | None = Field(
        None, gt=0, description="divides the outputs before each loss; not trained, no part of any norm"
    )
    init_factor: float | None = Field(
        None, gt=0, description="multiplies the initial matrices and filters; not with `start`"
    )
    learning_rate: float | None = Field(None, gt=0, description="takes the place of `optimizer.learning_rate`")
    learning_rate_factor: float | None = Field(None, gt=0, description="multiplies `optimizer.learning_rate`")
    weight_decay: float | None = Field(None, ge=0, description="takes the place of `optimizer.weight_decay`")

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return itself, which is frozen: pydantic copies this default once for each run of a study."""
        return self

    @property
    def active(self) -> bool:
        """Whether anything is changed."""
        return self != Intervention()

    @property
    def measures(self) -> frozenset[str]:
        """Names of the measures that the training depends on."""
        held = self.hold_norm.measure if self.hold_norm is not None else None
        return frozenset({*(self.start.log_norm if self.start else ()), *([held] if held else ())})

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        changes = self.model_dump(exclude={"start"}, exclude_none=True)
        if self.start is not None and not changes:
            raise ValueError("`start` alone changes nothing: say what is changed from there on")
        if self.start is not None and self.init_factor is not None:
            raise ValueError("`init_factor` is for the initial weights; see `hold_norm.factor`")
        if self.learning_rate is not None and self.learning_rate_factor is not None:
            raise ValueError("give `learning_rate` or `learning_rate_factor`, not both")
        return self


def arm_of(change: Intervention, fork: Moment | None) -> Intervention:
    """Return an arm's intervention, which starts at the fork unless it says otherwise."""
    return change if change.start is not None else Intervention.model_validate({**dict(change), "start": fork})
