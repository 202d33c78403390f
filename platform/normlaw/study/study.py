"""A study: what is fixed, what is varied, and the runs that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import prod
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, PositiveInt, ValidationError, field_validator, model_validator

from normlaw.base.collection import no_collection
from normlaw.base.typed import Model
from normlaw.study.identity import Hashes, lacking, measured_by
from normlaw.study.listed import flatten
from normlaw.study.names import STUDY_NAME, study_name
from normlaw.study.protocol_choice import OwnChoices
from normlaw.study.shared_parts import SharedParts
from normlaw.study.spec import ComponentChoice, RunSpec
from normlaw.study.yaml_loader import dump
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import AnalysisProtocol, Catalogue, InputError, Response
from normlaw_registry.errors import brief, describe_problem, known_keys, suggestion
from normlaw_registry.response import Quantity

Place = tuple[str | int, ...]
MAX_RUNS = 100_000
"""Runs that one study may have: more is a slip of the pen, or an attempt to use up the memory."""
SHOWN = 10
"""Problems told in one message."""
SHIPPED = Path(__file__).parent / "shipped"


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
    floor: float | None = Field(
        None, ge=0, description="what the response is known to be at least; laws are fitted to the excess"
    )
    from_norm: float | None = Field(None, gt=0, description="norms below are left out, in the study's own norm")
    from_train_size: PositiveInt | None = Field(None, le=2**53, description="train sizes below are left out")

    @model_validator(mode="after")
    def _floor_fits(self) -> Self:
        try:
            Response(quantity=self.response or "test_error", floor=self.floor or 0.0)
        except InputError as error:
            raise ValueError(str(error)) from None
        return self

    def own(self) -> OwnChoices:
        """Return the choices as an analysis takes them."""
        named = self.protocol
        return OwnChoices(
            protocol=None if named is None else named.name,
            params={} if named is None else named.params,
            response=self.response,
            floor=self.floor,
            from_norm=self.from_norm,
            from_train_size=self.from_train_size,
        )


class Study(Model):
    """A family of runs that differ in what is varied. One study is one MLflow experiment of its name."""

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
        "n - 1; the runs are all combinations"
    )
    scales: dict[str, Scale] = Field(
        default_factory=dict, description="variants by name, such as `small`, for `--scale`"
    )

    @field_validator("vary", mode="before")
    @classmethod
    def _lists(cls, vary: Any) -> Any:
        if not isinstance(vary, Mapping):
            return vary
        return {key: _values(key, value) for key, value in vary.items()}

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if (runs := prod(len(values) for values in self.vary.values())) > MAX_RUNS:
            raise ValueError(f"`vary` has {runs} combinations; a study has {MAX_RUNS} runs at most")
        return self

    @model_validator(mode="after")
    def _sizes_and_seeds(self) -> Self:
        for key in ("train_size", "seed"):
            if key not in self.vary and key not in self.fixed:
                raise ValueError(f"`{key}` stands neither under `fixed` nor under `vary`")
        return self

    @property
    def abscissa(self) -> str:
        """Name of the measure that the laws are read in."""
        if self.norm is not None:
            return self.norm
        first = self.fixed["measures"][0]
        return str(first["name"] if isinstance(first, Mapping) else first)

    def run_name(self, spec: RunSpec) -> str:
        """Return what a run of this study is called: its own name, and the values of what else is varied."""
        values = flatten(spec.model_dump(mode="json"))
        parts = [spec.run_name]
        for key in self.vary:
            if key in values and key not in ("train_size", "seed"):
                parts.append(f"{key.rpartition('.')[2]}={values[key]}")
        return " ".join(parts)

    def to_yaml(self) -> str:
        """Return the study as a file that reads back as the same study."""
        return dump(self.model_dump(mode="json", exclude_none=True))


def _values(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple(range(Range.model_validate(value).count))
    if not isinstance(value, (list, tuple)) or not value:
        raise ValueError(f"{key}: give a non-empty list of values")
    if len({str(v) for v in value}) < len(value):
        raise ValueError(f"{key}: a value stands twice in {brief(list(value))}")
    return value


def parse_study(source: YamlSource) -> Study:
    """Return the study in a YAML source.

    Raises:
        InputError: a key is unknown, missing or of the wrong type; says in which line.

    """
    try:
        return Study.model_validate(source.data)
    except ValidationError as error:
        raise InputError(_problems(error, Study, source.where)) from None


def at_scale(source: YamlSource, scale: str) -> YamlSource:
    """Return the source of a study's variant, named '<study>-<scale>'; lines are those of the study's file.

    Raises:
        InputError: the study has no such scale; names the nearest.

    """
    scales = parse_study(source).scales
    if scale not in scales:
        raise InputError(f"{source.where(['scales'])}: no scale {scale!r}: {suggestion(scale, list(scales))}")
    variant = source.overlaid(("scales", scale), replaced=("vary",))
    variant.data["name"] = f"{source.data['name']}-{scale}"
    del variant.data["scales"]
    return variant


@dataclass(frozen=True)
class Planned:
    """A run of a study."""

    spec: RunSpec
    where: Callable[[Place], str]
    """Returns 'FILE:LINE: key' of the place in the study that a place of the specification comes from."""


def expand(study: Study, catalogue: Catalogue, source: YamlSource | None = None) -> list[RunSpec]:
    """Return the study's runs in the order of its lists, every parameter written out; see `planned_runs`."""
    return [planned.spec for planned in planned_runs(study, catalogue, source).values()]


def planned_runs(study: Study, catalogue: Catalogue, source: YamlSource | None = None) -> dict[str, Planned]:
    """Return the study's runs by their hash, in the order of its lists, with where they were written.

    Raises:
        InputError: a component, key or value is wrong; says where in `source`, and the nearest valid names.

    """
    source = source or YamlSource(study.to_yaml(), study.name)
    plans: dict[str, Planned] = {}
    parts, hashes = SharedParts(study, catalogue, source), Hashes()
    with no_collection():
        for choice in product(*(range(len(values)) for values in study.vary.values())):
            where = partial(_where, source, study, choice)
            spec = parts.spec(choice)
            if spec is None:  # as a whole, so that all that is wrong with it is told
                try:
                    spec = RunSpec.model_validate(parts.written(choice)).resolved(catalogue, where)
                except ValidationError as error:
                    raise InputError(_problems(error, RunSpec, where)) from None
            if (reason := parts.unstorable(spec)) is not None:
                raise InputError(f"{where(())}: {reason}")
            spec_hash = spec.hashed_by(hashes)
            before = plans.get(spec_hash)
            if before is not None:
                spec = _measuring_both(before.spec, spec, where)
            plans[spec_hash] = Planned(spec, before.where if before is not None else where)
    names = [measure.name for measure in next(iter(plans.values())).spec.measures]
    if study.abscissa not in names:
        nearest = suggestion(study.abscissa, names)
        raise InputError(f"{source.where(['norm'])}: {study.abscissa!r} is not measured: {nearest}")
    if study.analysis is not None and study.analysis.protocol is not None:
        try:
            study.analysis.protocol.resolved(AnalysisProtocol, catalogue)
        except InputError as error:
            raise type(error)(f"{source.where(['analysis', 'protocol'])}: {error}") from None
    return plans


def _measuring_both(one: RunSpec, two: RunSpec, where: Callable[[Place], str]) -> RunSpec:
    """Return a run that measures what two measure that are the same otherwise."""
    names = [measure.name for measure in one.measures]
    if both := [name for name in lacking(measured_by(two), measured_by(one)) if name in names]:
        raise InputError(
            f"{where(('measures',))}: {both[0]!r} is asked for with several parameters in one run; what is "
            "measured makes no other run"
        )
    more = [measure for measure in two.measures if measure.name not in names]
    return one.model_copy(update={"measures": (*one.measures, *more)})


def _where(source: YamlSource, study: Study, choice: tuple[int, ...], loc: Place) -> str:
    """Return where in the study a place of a run's tree was written."""
    return source.where(_origin(loc, dict(zip(study.vary, choice, strict=True))))


def _origin(loc: Place, varied: Mapping[str, int]) -> Place:
    for key, number in varied.items():
        if tuple(key.split(".")) == tuple(map(str, loc))[: key.count(".") + 1]:
            return ("vary", key, number)
    return ("fixed", *loc)


def _problems(error: ValidationError, model: type[Model], where: Callable[[Place], str]) -> str:
    problems = error.errors(include_url=False)
    lines = [
        f"{where(problem['loc'])}: {describe_problem(problem, known_keys(model, problem['loc']))}"
        for problem in problems[:SHOWN]
    ]
    return "\n".join(lines + ([f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []))


def shipped_studies() -> dict[str, Path]:
    """Return the studies that come with normlaw: name -> file."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def find_study(name_or_path: str) -> YamlSource:
    """Return the source of a study, given a shipped study's name or a file.

    Raises:
        InputError: there is neither; names the nearest shipped studies.

    """
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return YamlSource.read(path)
    shipped = shipped_studies()
    if name_or_path not in shipped:
        raise InputError(
            f"no study {brief(name_or_path)}: {suggestion(name_or_path, list(shipped))} "
            "(a study of your own is named by the path of its YAML file)"
        )
    return YamlSource.read(shipped[name_or_path])
