"""The runs that follow from a study, each with where it was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

from pydantic import ValidationError

from normlaw.base.collection import no_collection
from normlaw.study.identity import Hashes, lacking, measured_by
from normlaw.study.intervention import arm_of
from normlaw.study.known_floor import OF_THE_DATASET, known_floor
from normlaw.study.shared_parts import SharedParts
from normlaw.study.spec import Place, RunSpec
from normlaw.study.study import Study, problems
from normlaw.study.together import keys_of
from normlaw_registry import AnalysisProtocol, Catalogue, ComplexityMeasure, InputError
from normlaw_registry.errors import suggestion
from normlaw_registry.host.vectors import measure_of

Where = Callable[[Place], str]


@dataclass(frozen=True)
class Planned:
    """A run of a study."""

    spec: RunSpec
    where: Callable[[Place], str]
    """Returns 'FILE:LINE: key' of the place in the study that a place of the specification comes from."""


def expand(study: Study, catalogue: Catalogue) -> list[RunSpec]:
    """Return the study's runs in the order of its lists, every parameter written out; see `planned_runs`."""
    return [planned.spec for planned in planned_runs(study, catalogue).values()]


def planned_runs(study: Study, catalogue: Catalogue) -> dict[str, Planned]:
    """Return the study's runs by their hash, in the order of its lists, with where they were written.

    Raises:
        InputError: a component, key or value is wrong; says where in the study, and the nearest valid names.

    """
    if study.observed:
        raise InputError(
            f"study {study.name!r} was observed in loops of your own, and normlaw cannot train it: run the "
            f"loop again, it goes on with its runs; `normlaw sync {study.name}` sends what was measured"
        )
    plans: dict[str, Planned] = {}
    parts, hashes = SharedParts(study, catalogue), Hashes()
    with no_collection():
        for choice in product(*(range(len(values)) for values in study.vary.values())):
            where = partial(_where, study, choice)
            spec = parts.spec(choice)
            if spec is None:  # as a whole, so that all that is wrong with it is told
                try:
                    spec = RunSpec.model_validate(parts.written(choice)).resolved(catalogue, where)
                except ValidationError as error:
                    raise InputError(problems(error, RunSpec, where)) from None
            for planned in (Planned(spec, where), *_arms(study, spec, where)):
                if (reason := parts.unstorable(planned.spec)) is not None:
                    raise InputError(f"{planned.where(())}: {reason}")
                spec_hash = planned.spec.hashed_by(hashes)
                plans[spec_hash] = _together(plans.get(spec_hash), planned)
    _require_known_names(study, catalogue, plans)
    return plans


def _require_known_names(study: Study, catalogue: Catalogue, plans: Mapping[str, Planned]) -> None:
    """Raise InputError where the norm, the protocol or the floor of a study is none."""
    names = [measure.name for measure in next(iter(plans.values())).spec.measures]
    whole = measure_of(study.abscissa)
    if whole not in names:
        nearest = suggestion(study.abscissa, names)
        raise InputError(f"{study.source.where(['norm'])}: {study.abscissa!r} is not measured: {nearest}")
    if whole != study.abscissa and "parts" not in catalogue.get(ComplexityMeasure, whole).gives:
        raise InputError(f"{study.source.where(['norm'])}: {whole!r} has no parts: give `norm: {whole}`")
    if study.analysis is not None and study.analysis.protocol is not None:
        try:
            study.analysis.protocol.resolved(AnalysisProtocol, catalogue)
        except InputError as error:
            raise type(error)(f"{study.source.where(['analysis', 'protocol'])}: {error}") from None
    if study.analysis is not None and study.analysis.floor == OF_THE_DATASET:
        try:
            known_floor((planned.spec for planned in plans.values()), catalogue)
        except InputError as error:
            raise type(error)(f"{study.source.where(['analysis', 'floor'])}: {error}") from None


def _together(before: Planned | None, now: Planned) -> Planned:
    """Return a run that was planned once or twice."""
    if before is None:
        return now
    return Planned(_measuring_both(before.spec, now.spec, now.where), before.where)


def _arms(study: Study, spec: RunSpec, where: Where) -> Iterator[Planned]:
    """Yield the runs that leave one of a study at its fork."""
    for name, change in study.arms.items():
        its_place = partial(_in_arm, study, name, where)
        try:
            yield Planned(spec.as_arm(name, arm_of(change, study.fork)), its_place)
        except ValidationError as error:
            raise InputError(problems(error, RunSpec, partial(its_place, whole=True))) from None


def _in_arm(study: Study, name: str, where: Where, loc: Place, whole: bool = False) -> str:
    """Return where a place of an arm's specification was written; `whole`: where the arm was."""
    if whole or loc[:1] == ("intervention",):
        return study.source.where(["arms", name, *([] if whole else loc[1:])])
    return where(loc)


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


def _where(study: Study, choice: tuple[int, ...], loc: Place) -> str:
    """Return where in the study a place of a run's tree was written."""
    return study.source.where(_origin(loc, dict(zip(study.vary, choice, strict=True))))


def _origin(loc: Place, varied: Mapping[str, int]) -> Place:
    for key, number in varied.items():
        keys = keys_of(key)
        for part, dotted in enumerate(keys):
            if tuple(dotted.split(".")) == tuple(map(str, loc))[: dotted.count(".") + 1]:
                return ("vary", key, number, part) if len(keys) > 1 else ("vary", key, number)
    return ("fixed", *loc)
