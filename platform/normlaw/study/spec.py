"""What one run is: a typed specification whose hash is the run's identity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal, Self, TypeVar

from pydantic import (
    Field,
    PositiveInt,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from normlaw.base.typed import Model
from normlaw.study.beside import BesideName, UnknownKeyError
from normlaw.study.identity import Hashes, canonical, hash_of
from normlaw.study.intervention import FREE, Intervention
from normlaw.study.run_options import (
    Augmentation,
    Compute,
    LossChoice,
    OptimizerSpec,
    RateSchedule,
    Stopping,
    Validation,
)
from normlaw.study.trainer import Trainer, with_trainer
from normlaw_registry import (
    Architecture,
    Callback,
    Catalogue,
    ComplexityMeasure,
    Component,
    Dataset,
    InputError,
    validate_params,
)
from normlaw_registry.errors import suggestion
from normlaw_registry.host.vectors import measure_of


class ComponentChoice(Model):
    """A component by name with its parameters; a bare name means its defaults."""

    name: str = Field(description="as `normlaw plugins` lists it")
    params: dict[str, Any] = Field(default_factory=dict, description="its parameters that are not at default")

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    def resolved(self, kind: type[Component], catalogue: Catalogue) -> Self:
        """Return the same choice with every parameter written out.

        Raises:
            ComponentError: no such component, or two providers claim its name.
            InputError: a parameter is unknown, missing or not allowed.

        """
        params = validate_params(catalogue.get(kind, self.name), self.params)
        return self.model_copy(update={"params": params.model_dump(mode="json")})


class ArchitectureChoice(ComponentChoice):
    """An architecture; a preset gives the parameters that `params` does not."""

    preset: str | None = Field(None, description="name of one of the architecture's presets")

    def resolved(self, kind: type[Component], catalogue: Catalogue) -> Self:
        """Return the choice with the preset's parameters written out. Raises as `ComponentChoice` does."""
        if self.preset is None:
            return super().resolved(kind, catalogue)
        presets = catalogue.get(Architecture, self.name).presets
        if self.preset not in presets:
            raise InputError(
                f"architecture {self.name!r} has no preset {self.preset!r}: "
                f"{suggestion(self.preset, list(presets))}"
            )
        merged = {"params": {**presets[self.preset], **self.params}, "preset": None}
        return self.model_copy(update=merged).resolved(kind, catalogue)


Place = tuple[str | int, ...]
"""Of a key in a study or in the specification of a run."""
AnyChoice = TypeVar("AnyChoice", bound=ComponentChoice)
BESIDE = ("loss", "optimizer", "learning_rate_schedule")
"""Keys of a run that are components with their parameters beside their names."""
MAX_INTEGER = 2**63 - 1
"""Of seeds, which are stored in columns of 64-bit integers."""
MAX_STEPS = 10**15
"""Of a run, whose steps are numbered in 64-bit floats and integers."""
ONE_PASS_SAMPLE = 1000
"""Examples, at most, on which the training loss of a one-pass run is taken: it sees none of them."""


class RunSpec(Model):
    """One training run: everything that its curve depends on."""

    architecture: ArchitectureChoice = Field(description="the network")
    dataset: ComponentChoice = Field(description="the data set")
    train_size: PositiveInt = Field(le=10**12, description="number of training examples, P")
    seed: int = Field(
        ge=0, le=MAX_INTEGER, description="seed of the subset, the initial weights and the order of the data"
    )
    trainer: Trainer = Field(Trainer(), description="steps of the optimiser by default")
    loss: LossChoice = Field(LossChoice(), description="what is made small")
    optimizer: OptimizerSpec = Field(OptimizerSpec(), description="the optimiser and its settings")
    learning_rate_schedule: RateSchedule = Field(RateSchedule(), description="constant by default")
    augmentation: Augmentation = Field(Augmentation(), description="none by default")
    label_noise: float = Field(
        0.0, ge=0, lt=1, description="probability that a training label is replaced by another class"
    )
    batch_size: int = Field(
        128, gt=0, le=10**9, description="examples in one step; an epoch's last batch may be smaller"
    )
    sampling: Literal["epochs", "one_pass"] = Field(
        "epochs",
        description="epochs: the same train_size examples again and again; one_pass: train_size examples in "
        "all, each drawn for one step, of a data set that can draw them; it has neither `epochs` nor `steps`",
    )
    epochs: PositiveInt | None = Field(None, le=10**9, description="length of training; give this or `steps`")
    steps: PositiveInt | None = Field(None, le=10**12, description="length of training in optimiser steps")
    stop: Stopping = Field(Stopping(), description="ends the run early; never by default")
    validation: Validation = Field(
        Validation(), description="where the optimum is chosen; the test set by default"
    )
    compute: Compute = Field(Compute(), description="how the arithmetic is done; float32 by default")
    measuring_points: PositiveInt = Field(
        50, le=10**6, description="log-spaced in optimiser steps, besides step 0"
    )
    intervention: Intervention = Field(
        Intervention(),
        description="what is changed besides, from the beginning or from a point on; nothing by default",
    )
    arm: str = Field(
        FREE,
        max_length=100,
        description="what a study calls the run's intervention, under `arms`; no part of what a run is",
    )
    measures: tuple[ComponentChoice, ...] = Field(
        min_length=1, max_length=1000, description="the norms taken at every measuring point"
    )

    callbacks: tuple[ComponentChoice, ...] = Field(
        (),
        max_length=1000,
        description="what follows each optimiser step and logs numbers of its own; what changes the training "
        "is part of what a run is",
    )

    @model_serializer(mode="wrap")
    def _without_later_options(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        tree: dict[str, Any] = serialise(self)
        for option in ("compute", "trainer", "intervention", "arm", "sampling", "callbacks"):
            if self._is_at_default(option):
                tree.pop(option, None)
        return tree

    @model_validator(mode="before")
    @classmethod
    def _paths_are_trainers(cls, tree: Any) -> Any:
        return with_trainer(tree)

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.follows_norm:
            if self.epochs is not None or self.steps is not None:
                raise ValueError(f"the length of {self.trainer.name} is `trainer.final_norm` alone")
            if self.loss.name != "cross_entropy" or any(self.loss.params.values()):
                raise ValueError(f"{self.trainer.name} is for cross_entropy only")
            options = (
                "augmentation",
                "learning_rate_schedule",
                "compute",
                "optimizer",
                "sampling",
                "callbacks",
                "intervention",
            )
            for option in options:
                if not self._is_at_default(option):
                    raise ValueError(f"{self.trainer.name} has no `{option}`")
        elif self.sampling == "epochs" and (self.epochs is None) == (self.steps is None):
            raise ValueError("give the length of training either as `epochs` or as `steps`")
        if self.total_steps > MAX_STEPS:
            raise ValueError(f"{self.total_steps} optimiser steps; a run has {MAX_STEPS} at most")
        return self

    @model_validator(mode="after")
    def _one_pass_has_one_length(self) -> Self:
        if self.sampling == "one_pass":
            if self.epochs is not None or self.steps is not None:
                raise ValueError(
                    "one_pass: `train_size` examples are seen once; leave out `epochs` and `steps`"
                )
            if self.label_noise or self.validation.size:
                raise ValueError("one_pass has no `label_noise` and no held-out validation examples")
        return self

    @model_validator(mode="after")
    def _stops_at_a_norm_that_is_measured(self) -> Self:
        names = [measure.name for measure in self.measures]
        if self.intervention.start is None:
            for key in ("learning_rate", "learning_rate_factor", "weight_decay"):
                if getattr(self.intervention, key) is not None:
                    place = f"optimizer.{key.removesuffix('_factor')}"
                    raise ValueError(f"`intervention.{key}` from the beginning is `{place}`; give `start`")
        asked = [("stop.log_norm", name) for name in self.stop.log_norm]
        for place, name in [*asked, *(("intervention", name) for name in sorted(self.intervention.measures))]:
            if measure_of(name) not in names:
                raise ValueError(f"`{place}`: {name!r} is not measured: {suggestion(name, names)}")
        return self

    @field_validator("measures", "callbacks")
    @classmethod
    def _distinct(cls, choices: tuple[ComponentChoice, ...]) -> tuple[ComponentChoice, ...]:
        names = [choice.name for choice in choices]
        if twice := sorted(name for name, count in Counter(names).items() if count > 1):
            raise ValueError(f"named twice: {', '.join(name[:100] for name in twice[:9])}")
        return choices

    def resolved(self, catalogue: Catalogue, where: Callable[[tuple[str | int, ...]], str] = str) -> Self:
        """Return the same run with presets and default parameters written out.

        Args:
            catalogue: where the components are looked up.
            where: tells, for a place in this specification, what an error message should begin with.

        Raises:
            InputError: a component or one of its parameters is unknown or not allowed.

        """

        def at(loc: Place, choice: AnyChoice, kind: type[Component]) -> AnyChoice:
            try:
                return choice.resolved(kind, catalogue)
            except InputError as error:
                raise type(error)(f"{where(loc)}: {error}") from None

        def beside(option: str) -> BesideName:
            chosen: BesideName = getattr(self, option)
            if self.follows_norm:  # it has none of them
                return chosen
            try:
                return chosen.resolved(catalogue)
            except UnknownKeyError as error:
                raise InputError(f"{where((option, error.key))}: {error}") from None
            except InputError as error:
                raise type(error)(f"{where((option,))}: {error}") from None

        measures = [at(("measures", i), m, ComplexityMeasure) for i, m in enumerate(self.measures)]
        callbacks = [at(("callbacks", i), c, Callback) for i, c in enumerate(self.callbacks)]
        return self.model_copy(
            update={
                "architecture": at(("architecture",), self.architecture, Architecture),
                "dataset": at(("dataset",), self.dataset, Dataset),
                "measures": tuple(measures),
                **{option: beside(option) for option in BESIDE},
                "callbacks": tuple(callbacks),
            }
        )

    def _is_at_default(self, option: str) -> bool:
        return bool(getattr(self, option) == type(self).model_fields[option].default)

    @property
    def follows_norm(self) -> bool:
        """Whether the run is a path in the norm; see `Trainer`."""
        return self.trainer.follows_norm

    @property
    def trunk(self) -> Self | None:
        """The run that this one is until its intervention starts; None where it has no such part."""
        if self.intervention.start is None:
            return None
        return self.model_copy(update={"intervention": Intervention(), "arm": FREE})

    def as_arm(self, name: str, intervention: Intervention) -> Self:
        """Return the run with an intervention.

        Raises:
            ValidationError: it does not fit the run.

        """
        type(self).model_validate({**dict(self), "intervention": intervention, "arm": name})
        return self.model_copy(update={"intervention": intervention, "arm": name})

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in one pass over the training examples; the last batch may be smaller."""
        if self.follows_norm:
            return 1
        return -(-self.train_size // self.batch_size)

    @property
    def total_steps(self) -> int:
        """Optimiser steps of the whole run; the measuring points of a path in the norm."""
        if self.follows_norm:
            return self.measuring_points
        if self.sampling == "one_pass":
            return self.steps_per_epoch
        if self.steps is not None:
            return self.steps
        assert self.epochs is not None
        return self.epochs * self.steps_per_epoch

    @property
    def kept_examples(self) -> int:
        """Training examples that are held in memory and evaluated on."""
        return self.train_size if self.sampling == "epochs" else min(self.train_size, ONE_PASS_SAMPLE)

    @cached_property
    def spec_hash(self) -> str:
        """The run's identity: the hash of its canonical form, see `normlaw.study.identity`."""
        return hash_of(canonical(self))

    def hashed_by(self, hashes: Hashes) -> str:
        """Return the run's identity, found with the help of runs that share parts with this one."""
        found = self.__dict__["spec_hash"] = hashes.of(self)
        return found

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values; see pydantic. Its hash is its own."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("spec_hash", None)
        return copied

    @property
    def run_name(self) -> str:
        """What the run is called where people read it."""
        arm = "" if self.arm == FREE else f" arm={self.arm}"
        return f"{self.architecture.name} {self.dataset.name} P={self.train_size} seed={self.seed}{arm}"
