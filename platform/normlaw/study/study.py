"""A study: what is fixed and what is varied, with where it was written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from math import prod
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PositiveInt, ValidationError, field_validator, model_validator

from normlaw.base.html import paragraph, preformatted, together
from normlaw.base.typed import Model
from normlaw.study.collapse_choice import Abscissa
from normlaw.study.intervention import FREE, Intervention, Moment
from normlaw.study.known_floor import OF_THE_DATASET
from normlaw.study.listed import COMPONENTS, flatten
from normlaw.study.names import STUDY_NAME, study_name
from normlaw.study.observed import OBSERVED, AnySpec
from normlaw.study.protocol_choice import OwnChoices
from normlaw.study.spec import ComponentChoice, Place, RunSpec
from normlaw.study.together import keys_of, parted
from normlaw.study.yaml_loader import dump
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import InputError, Response
from normlaw_registry.errors import brief, describe_problem, known_keys, suggestion
from normlaw_registry.response import Quantity

MAX_RUNS = 100_000
"""Runs that one study may have: more is a slip of the pen, or an attempt to use up the memory."""
ARM_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
SHOWN = 10
"""Problems told in one message."""


class Range(Model):
    """The numbers 0, 1, ..., count - 1; seeds are written so."""

    count: int = Field(gt=0, le=MAX_RUNS, description="how many numbers")


class Scale(Model):
    """A variant of a study in another size: what it changes."""

    description: str = Field("", max_length=5000, description="what the variant is for")
    fixed: dict[str, Any] = Field(default_factory=dict, description="goes over the study's, key by key")
    vary: dict[str, Any] = Field(default_factory=dict, description="a list here replaces the study's list")
    analysis: dict[str, Any] = Field(default_factory=dict, description="goes over the study's, key by key")


def _name(text: str) -> str:
    try:
        return study_name(text)
    except InputError as error:
        raise ValueError(str(error)) from None


class AnalysisChoice(Model):
    """How the laws of a study are fitted; the options of `normlaw analyse` go before it."""

    protocol: ComponentChoice | None = Field(
        None, description="a protocol of analysis by name, with its parameters"
    )
    response: Quantity | None = Field(
        None, description="what falls with the norm: `test_error`, which is the default, or `test_loss`"
    )
    floor: float | Literal["dataset"] | None = Field(
        None,
        description="what the response is known to be at least; laws are fitted to the excess. `dataset`: what "
        "the data set knows as the least test loss, such as the entropy rate of a Markov chain",
    )
    from_norm: float | None = Field(None, gt=0, description="norms below are left out, in the study's own norm")
    from_train_size: PositiveInt | None = Field(None, le=2**53, description="train sizes below are left out")

    collapse: Abscissa | None = Field(
        None,
        description="what normalised curves are compared on with the noise floor of their seeds: `compute`, "
        "`steps`, `norm` or `departure`; by default they are not",
    )
    collapse_over: str | None = Field(
        None,
        max_length=200,
        description="the parameter that holds the sizes of that comparison, as MLflow lists it, such as "
        "`architecture.hidden`; by default `train_size`",
    )

    @field_validator("floor", mode="before")
    @classmethod
    def _number_or_word(cls, given: Any) -> Any:
        if isinstance(given, str) and given != OF_THE_DATASET:
            raise ValueError(f"give a number of at least 0, or `dataset`, got {brief(given)}")
        return given

    @model_validator(mode="after")
    def _floor_fits(self) -> Self:
        try:
            given = 0.0 if isinstance(self.floor, str) else self.floor or 0.0
            Response(quantity=self.response or "test_error", floor=given)
        except InputError as error:
            raise ValueError(str(error)) from None
        if isinstance(self.floor, str) and self.response != "test_loss":
            raise ValueError("`floor: dataset` is that of the test loss: give `response: test_loss` with it")
        return self

    def own(self, known_floor: float | None = None) -> OwnChoices:
        """Return the choices as an analysis takes them.

        Args:
            known_floor: what the data set knows, where the floor is its own.

        """
        named = self.protocol
        return OwnChoices(
            protocol=None if named is None else named.name,
            params={} if named is None else named.params,
            response=self.response,
            floor=known_floor if isinstance(self.floor, str) else self.floor,
            from_norm=self.from_norm,
            from_train_size=self.from_train_size,
            collapse=self.collapse,
            collapse_over=self.collapse_over,
        )


class Study(Model):
    """A family of runs that differ in what is varied. One study is one MLflow experiment of its name."""

    extends: None = Field(
        None,
        exclude=True,
        description="a study that this one goes over: a shipped one's name, or the path of a file as seen from "
        "this one; mappings are merged key by key, `null` takes a key away",
        json_schema_extra={"type": "string"},
    )
    name: Annotated[str, AfterValidator(_name)] = Field(
        description="the name of the study's MLflow experiment", json_schema_extra={"pattern": STUDY_NAME}
    )
    description: str = Field("", max_length=5000, description="stands in the note of the MLflow experiment")
    norm: str | None = Field(None, description="the measure that the laws are read in; by default the first")
    analysis: AnalysisChoice | None = Field(
        None, description="how `normlaw analyse` fits the laws; no part of what a run is"
    )
    fixed: dict[str, Any] = Field(description="what all runs share: keys of a run")
    vary: dict[str, tuple[Any, ...]] = Field(
        description="keys of a run, dotted, with the values that each takes, or `{count: n}` for 0, 1, ..., "
        "n - 1; the runs are all combinations. Keys that change together stand before one colon, as in "
        "`batch_size, steps: [[8, 400], [16, 200]]`"
    )
    fork: Moment | None = Field(
        None, description="where the arms leave the trunk, which is the run without an intervention"
    )
    arms: dict[str, Intervention] = Field(
        default_factory=dict,
        description="by name what is changed from the fork on; each makes one more run of every combination, "
        "which goes on from its trunk",
    )
    scales: dict[str, Scale] = Field(
        default_factory=dict, description="variants by name, such as `small`, for `--scale`"
    )

    @field_validator("extends", mode="before")
    @classmethod
    def _resolved(cls, extends: Any) -> None:
        if extends is not None:
            raise ValueError("is followed where a study is loaded: `normlaw.load_study` does so")

    @field_validator("vary", mode="before")
    @classmethod
    def _lists(cls, vary: Any) -> Any:
        if not isinstance(vary, Mapping):
            return vary
        return {key: _values(key, value) for key, value in vary.items()}

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if (runs := self.combinations * (1 + len(self.arms))) > MAX_RUNS:
            raise ValueError(f"`vary` has {runs} combinations; a study has {MAX_RUNS} runs at most")
        return self

    @model_validator(mode="after")
    def _sizes_and_seeds(self) -> Self:
        if twice := [key for key in self.varied if self.varied.count(key) > 1]:
            raise ValueError(f"`{twice[0]}` stands under `vary` twice; keep one of the two")
        for key in () if self.observed else ("train_size", "seed"):
            if key not in self.varied and key not in self.fixed:
                raise ValueError(f"`{key}` stands neither under `fixed` nor under `vary`")
        return self

    @model_validator(mode="after")
    def _arms_have_a_fork(self) -> Self:
        if self.fork is not None and not self.arms:
            raise ValueError("`fork` is where `arms` leave the trunk, and there are none")
        for name, change in self.arms.items():
            if name == FREE or not ARM_NAME.fullmatch(name):
                raise ValueError(
                    f"arms: {brief(name)}: write lower-case words joined by underscores, and not {FREE!r}, "
                    "which is the run in which nothing is changed"
                )
            if change.start is None and self.fork is None:
                raise ValueError(f"arms: {name}: say where it leaves the trunk: `fork`, or `start` of its own")
        return self

    @property
    def combinations(self) -> int:
        """How many combinations of varied values there are."""
        return prod(len(values) for values in self.vary.values())

    @property
    def varied(self) -> list[str]:
        """The keys that its runs differ in, those too that change together."""
        return [key for keys in self.vary for key in keys_of(keys)]

    @property
    def observed(self) -> bool:
        """Whether its runs are observed in other loops, so that there is nothing for normlaw to train."""
        return self.fixed.get("trainer") == OBSERVED

    @property
    def abscissa(self) -> str:
        """Name of the measure that the laws are read in."""
        if self.norm is not None:
            return self.norm
        first = self.fixed["measures"][0]
        return str(first["name"] if isinstance(first, Mapping) else first)

    def run_name(self, spec: AnySpec) -> str:
        """Return what a run of this study is called: its own name, and the values of what else is varied."""
        values = flatten(spec.model_dump(mode="json"))
        parts = [spec.run_name]
        for key in self.varied:
            place = key
            if (
                isinstance(spec, RunSpec) and spec.follows_norm
            ):  # earlier studies call such a trainer an optimiser
                place = key.replace("optimizer.", "trainer.", 1)
            place = place if place in values else f"{place}.name"
            if place in values and key not in ("train_size", "seed", *COMPONENTS):
                parts.append(f"{key.rpartition('.')[2]}={values[place]}")
        return " ".join(parts)

    def to_yaml(self, *, compact: bool = False) -> str:
        """Return the study as a file that reads back as the same study.

        Args:
            compact: for readers: lists and mappings of single values on one line, and no defaults.

        """
        tree = self.model_dump(mode="json", exclude_none=True, exclude_defaults=compact)
        return dump(tree, compact=compact)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the study as a file, and how many runs it has."""
        runs = self.combinations
        return together(
            paragraph(f"{runs:,} combinations", strong=self.name), preformatted(self.to_yaml(compact=True))
        )

    @cached_property
    def source(self) -> YamlSource:
        """Where the study was written, for messages: its file; of one made in Python, the file it would be."""
        return YamlSource(self.to_yaml(), self.name)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values; see pydantic. No file has it."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("source", None)
        return copied


def _values(key: Any, value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple(range(Range.model_validate(value).count))
    if not isinstance(value, (list, tuple)) or not value:
        raise ValueError(f"{key}: give a non-empty list of values")
    if len({str(v) for v in value}) < len(value):
        raise ValueError(f"{key}: a value stands twice in {brief(list(value))}")
    if isinstance(key, str):  # another one is refused as a key
        parted(key, value)
    return value


def parse_study(source: YamlSource) -> Study:
    """Return the study in a YAML source, which it keeps.

    Raises:
        InputError: a key is unknown, missing or of the wrong type; says in which line.

    """
    try:
        study = Study.model_validate(source.data)
    except ValidationError as error:
        raise InputError(problems(error, Study, source.where)) from None
    study.__dict__["source"] = source
    return study


def at_scale(study: Study, scale: str) -> Study:
    """Return a study's variant, named '<study>-<scale>'; lines in messages are those of the study's file.

    Raises:
        InputError: the study has no such scale; names the nearest.

    """
    if scale not in study.scales:
        nearest = suggestion(scale, list(study.scales))
        raise InputError(f"{study.source.where(['scales'])}: no scale {scale!r}: {nearest}")
    variant = study.source.overlaid(("scales", scale), replaced=("vary",))
    variant.data["name"] = f"{study.name}-{scale}"
    del variant.data["scales"]
    return parse_study(variant)


def problems(error: ValidationError, model: type[Model], where: Callable[[Place], str]) -> str:
    """Return what is wrong with a tree that a model was made of, each with its place, as one message."""
    found = error.errors(include_url=False)
    lines = [
        f"{where(problem['loc'])}: {describe_problem(problem, known_keys(model, problem['loc']))}"
        for problem in found[:SHOWN]
    ]
    return "\n".join(lines + ([f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []))
