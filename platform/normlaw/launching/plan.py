"""What a launch has to do: which runs are to be trained, and which of them again, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from normlaw.execution.attempt import checkpoint_folder
from normlaw.study.home import journal_path
from normlaw.study.identity import LOOKING_ON, Measures, lacking, measured_by
from normlaw.study.listed import contradiction, listing
from normlaw.study.spec import ComponentChoice, RunSpec
from normlaw.study.study import Study
from normlaw.tracking import earlier
from normlaw.tracking.journal import is_being_written
from normlaw.tracking.record import is_done
from normlaw.tracking.stored import Stored, journals
from normlaw.training.checkpoints import Checkpoints
from normlaw_registry import Callback, Catalogue, ComplexityMeasure, InputError

NAMED = 5
"""Runs that a message names; of more it gives the number."""


@dataclass(frozen=True)
class Plan:
    """What there is of a study's runs, and what is missing."""

    missing: list[RunSpec] = field(default_factory=list)
    """Runs to be trained, with all that is to be measured."""
    on_disk: set[str] = field(default_factory=set)
    """Names of the journals that hold a whole curve of the study."""
    begun_as: dict[str, str] = field(default_factory=dict)
    """Names of the journals of runs that an earlier version began and that go on, by the runs' hashes."""
    again: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    """Measures that were not taken -> the finished runs, by name, that are trained again for them."""
    anew: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    """The same of runs that were interrupted."""

    def reasons(self) -> Iterator[str]:
        """Yield, in a sentence each, what is trained again and why."""
        kept = "the network at each measuring point, which they are taken of, is not kept"
        for measures, runs in self.again.items():
            yield (
                f"{_these(runs)} finished, and trained again to take {_listed(measures)}: {kept}. The curves "
                "that are there stay until the new ones are whole."
            )
        for measures, runs in self.anew.items():
            yield f"{_these(runs)} interrupted, and begun anew to take {_listed(measures)}: {kept}."


def make_plan(
    study: Study,
    specs: Mapping[str, RunSpec],
    catalogue: Catalogue,
    home: Path,
    at_server: Mapping[str, Sequence[Stored]],
) -> Plan:
    """Compare what a study asks for with what is stored of it.

    A run is done where one place has it finished, with every measure that is asked for. One that is trained
    again takes what it had measured before as well, so that it stands for all that there is of it.

    Args:
        study: the study.
        specs: its runs by their hashes.
        catalogue: where measures are found.
        home: folder of the journals.
        at_server: what MLflow has finished of the runs.

    Raises:
        InputError: a run that is stored under one's hash has other values: a component's default has changed.
        NewerSchemaError: a newer version wrote a journal or a checkpoint of the study.

    """
    for spec_hash, spec in specs.items():
        _give_back(journal_path(home, study.name, spec_hash), spec)
    on_disk = journals(home, study.name, specs)
    again: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    anew: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    plan = Plan(again=again, anew=anew)
    for spec_hash, spec in specs.items():
        stored = [*on_disk.get(spec_hash, []), *at_server.get(spec_hash, [])]
        for one in stored:
            _require_same(spec, spec_hash, one, study)
        finished = [one for one in stored if one.status == "finished"]
        plan.on_disk.update(one.name for one in on_disk.get(spec_hash, []) if one.status == "finished")
        wanted = measured_by(spec)
        if any(not lacking(wanted, one.measures) for one in finished):
            continue
        begun = [one for one in on_disk.get(spec_hash, []) if one.status != "finished" and one.points]
        Checkpoints(checkpoint_folder(home, study.name, spec_hash), "").require_known()
        more = _with(spec, [*finished, *begun], catalogue)
        wanted = measured_by(more)
        plan.missing.append(more)
        for one in begun:
            if one.spec is not None and not lacking(wanted, one.measures):
                looked_at = {"measures": one.spec.measures, "callbacks": one.spec.callbacks}
                plan.missing[-1] = spec.model_copy(update=looked_at)
                if one.name != spec_hash and not journal_path(home, study.name, spec_hash).exists():
                    plan.begun_as[spec_hash] = one.name
                break
        else:
            where = again if finished else anew
            if finished or begun:
                where[_least(wanted, finished or begun)].append(study.run_name(more))
    return plan


def _with(spec: RunSpec, stored: Sequence[Stored], catalogue: Catalogue) -> RunSpec:
    """Return a run that measures what was measured before as well, as far as it is installed."""
    known = measured_by(spec)
    more: dict[str, ComponentChoice] = {}
    for one in stored:
        for name, params in one.measures.items():
            if params is None or name in known or name in more:
                continue
            kind = Callback if name.startswith(LOOKING_ON) else ComplexityMeasure
            choice = ComponentChoice(name=name.removeprefix(LOOKING_ON), params=dict(params))
            try:
                more[name] = choice.resolved(kind, catalogue)
            except InputError:  # it is not installed, or its parameters are others now
                continue
    callbacks = [choice for name, choice in more.items() if name.startswith(LOOKING_ON)]
    measures = [choice for name, choice in more.items() if not name.startswith(LOOKING_ON)]
    return spec.model_copy(
        update={"measures": (*spec.measures, *measures), "callbacks": (*spec.callbacks, *callbacks)}
    )


def _least(wanted: Measures, stored: Sequence[Stored]) -> tuple[str, ...]:
    return min((tuple(lacking(wanted, one.measures)) for one in stored), key=len)


def _require_same(spec: RunSpec, spec_hash: str, stored: Stored, study: Study) -> None:
    now = listing(spec)
    if stored.name != spec_hash or (name := contradiction(stored.listed, now)) is None:
        return
    raise InputError(
        f"{study.run_name(spec)}: `{name}` was {stored.listed[name]} when it was trained, is {now[name]} now: "
        "a default has changed since. To train it as it is now, rename the study; to go on as before, install "
        "the versions that it was begun with"
    )


def _give_back(journal: Path, spec: RunSpec) -> None:
    """Put a whole curve back in its place where it suffices, after all, and the new one is not whole."""
    beside = earlier.path_beside(journal)
    if not beside.exists() or is_being_written(journal) or is_done(journal, spec):
        return
    if earlier.suffices(journal, spec):
        beside.replace(journal)


def _these(runs: Sequence[str]) -> str:
    if len(runs) > NAMED:
        return f"{', '.join(runs[:NAMED])} and {len(runs) - NAMED} more runs are"
    return f"{', '.join(runs)} {'is' if len(runs) == 1 else 'are'}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
