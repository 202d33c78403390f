"""What a run is that a training loop of someone else's makes: what they say of it, and no more is known.

Its identity is the hash of `{"schema": .., "trainer": "observed", "train_size": .., "seed": .., "about": ..}`,
where `about` is left out if it is empty. As for every run, what is measured is no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, PositiveInt, field_validator

from normlaw.base.typed import Model
from normlaw.study.identity import canonical, hash_of
from normlaw.study.spec import MAX_INTEGER, ComponentChoice, RunSpec

OBSERVED = "observed"
RESERVED = ("trainer", "train_size", "seed", "measures")
"""What a run is listed by anyway."""
_NAME = re.compile(r"[A-Za-z_][\w -]*")


class ObservedSpec(Model):
    """One run of a training loop that is not normlaw's."""

    trainer: Literal["observed"] = "observed"
    train_size: PositiveInt = Field(le=10**12, description="number of training examples, P")
    seed: int = Field(ge=0, le=MAX_INTEGER, description="tells repetitions apart")
    about: dict[str, Any] = Field(
        default_factory=dict, description="what else tells this run from others, by name: numbers and words"
    )
    measures: tuple[ComponentChoice, ...] = Field(
        min_length=1, max_length=1000, description="the norms taken at every measuring point"
    )

    @field_validator("about")
    @classmethod
    def _can_be_listed(cls, about: dict[str, Any]) -> dict[str, Any]:
        for key in about:
            if key in RESERVED:
                raise ValueError(f"{key!r} has an argument of its own")
        return dict(_plain(about, ""))

    @property
    def canonical_form(self) -> dict[str, Any]:
        """What the run is, besides the schema number."""
        tree = {"trainer": self.trainer, "train_size": self.train_size, "seed": self.seed}
        return {**tree, "about": self.about} if self.about else tree

    @cached_property
    def spec_hash(self) -> str:
        """The run's identity."""
        return hash_of(canonical(self))

    @property
    def run_name(self) -> str:
        """What the run is called where people read it."""
        said = [str(value) for key in ("architecture", "model", "dataset") if (value := self.about.get(key))]
        return " ".join([*(said or [OBSERVED]), f"P={self.train_size} seed={self.seed}"])


AnySpec = RunSpec | ObservedSpec
"""What a run is, whoever trains it."""


def spec_of(tree: Mapping[str, Any]) -> AnySpec:
    """Return the specification that was written out as a tree. Raises pydantic's ValidationError."""
    kind = ObservedSpec if tree.get("trainer") == OBSERVED else RunSpec
    return kind.model_validate(tree)


def _plain(value: Any, where: str) -> Any:
    """Return a value in JSON's own types. Raises ValueError where it has others; says where."""
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str) or not _NAME.fullmatch(key):
                raise ValueError(f"{where}{key!r} is no name: use letters, digits, _, - and spaces")
        return {key: _plain(part, f"{where}{key}.") for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, where) for part in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and value - value == 0.0:
        return float(value)
    raise ValueError(
        f"`{where.rstrip('.')}` is {value!r} of type {type(value).__name__}: give finite numbers, words, or "
        "lists and mappings of these"
    )
