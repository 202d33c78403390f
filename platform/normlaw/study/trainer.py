"""What brings a run from one measuring point to the next."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from normlaw.base.typed import Model

PATHS = ("gradient_flow", "fixed_norm")
"""Trainers that follow a path in the norm of one linear map. Earlier versions called them optimisers."""


class Trainer(Model):
    """What brings a run from one measuring point to the next."""

    name: Literal["descent", "gradient_flow", "fixed_norm"] = Field(
        "descent",
        description="descent: steps of the optimiser; gradient_flow: the limit of small steps on all examples; "
        "fixed_norm: the least loss at each norm; the latter two for one linear map without bias, two classes "
        "and cross_entropy; a bare name means its defaults",
    )
    final_norm: float | None = Field(
        None, gt=0, description="gradient_flow and fixed_norm, whose length it is: the last norm measured"
    )
    tolerance: float = Field(
        1e-5, gt=0, lt=1, description="gradient_flow: local error of a step; fixed_norm: relative gradient left"
    )

    @property
    def follows_norm(self) -> bool:
        """True where a run is a path in the norm: its length is a norm, and measuring points are its steps."""
        return self.name in PATHS

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _settings_of_its_own(self) -> Self:
        if self.follows_norm and self.final_norm is None:
            raise ValueError(f"{self.name} needs `final_norm`, the last norm to be measured")
        if not self.follows_norm and self.final_norm is not None:
            raise ValueError(f"final_norm belongs to gradient_flow and fixed_norm; {self.name} has none")
        return self


def with_trainer(tree: Any) -> Any:
    """Return a run's tree in which a path in the norm is a trainer, as it was written or as an optimiser."""
    if not isinstance(tree, dict) or not isinstance(tree.get("optimizer"), dict):
        return tree
    said = {
        key: value
        for key, value in tree["optimizer"].items()
        if key not in _OF_OTHERS or value != _OF_OTHERS[key]
    }
    if said.get("name") not in PATHS or tree.get("trainer") not in (None, {}, {"name": "descent"}):
        return tree
    moved = {key: value for key, value in tree.items() if key not in ("optimizer", "trainer")}
    for key in ("learning_rate", "weight_decay", "momentum"):
        if key in said:
            raise ValueError(f"{said['name']} has no `optimizer.{key}`; see `trainer.tolerance`")
    return moved | {"trainer": said}


_OF_OTHERS = {"learning_rate": 1e-3, "weight_decay": 0.0, "momentum": 0.0}
"""What earlier versions wrote out of each optimiser, at its default."""
