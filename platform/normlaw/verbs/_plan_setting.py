"""What is known of one setting of a study before further runs are planned: their cost, and which can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from normlaw.analysis.planning.afresh import Change
from normlaw.analysis.planning.costs import Costs, Work, core_seconds, costs_of
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking.study_run import StudyRun
from normlaw.training.cost import run_seconds
from normlaw.training.data import load_splits
from normlaw.training.schedule import measuring_steps
from normlaw_registry import Catalogue, Dataset, InputError, validate_params

LARGEST = 10**12
"""Train size that a run may have."""


@dataclass(frozen=True)
class Priced:
    """What runs of one setting cost."""

    reference: RunSpec
    """A run of it."""
    costs: Costs
    test_size: int
    notes: tuple[str, ...]
    """How the costs are known."""

    def seconds(self, size: int, longer: float, denser: float) -> float:
        """Return the core-seconds of a run of a train size; see `afresh.Seconds`."""
        spec = self.reference.model_copy(update={"train_size": size})
        return self.costs.seconds(work_of(spec, self.test_size).with_more(longer, denser))


def priced(
    specs: Mapping[str, RunSpec],
    runs: Sequence[StudyRun],
    launches: Mapping[str, Mapping[str, str]],
    catalogue: Catalogue,
) -> Priced:
    """Return what runs of one setting cost, from the times that MLflow has of the finished ones.

    Args:
        specs: runs of the setting, by hash.
        runs: those that are finished.
        launches: what each launch was told, by its name.
        catalogue: where the data set is found.

    Raises:
        InputError: no run has a time, and none can be told beforehand.

    """
    reference = next(iter(specs.values()))
    test_size = _test_size(reference, catalogue)
    notes: list[str] = []
    taken = _of_one_device(_core_seconds(runs, launches), notes)
    measured: dict[int, list[tuple[Work, float]]] = {}
    for run, seconds in taken:
        spec = reference.model_copy(update={"train_size": run.train_size})
        measured.setdefault(run.train_size, []).append((work_of(spec, test_size), seconds))
    if not measured:
        notes.append("no run has a time: costs are those of optimiser steps, timed here on made-up data")
        for spec_hash, seconds_here in run_seconds(list(specs.values()), catalogue).items():
            if seconds_here:
                spec = specs[spec_hash]
                measured.setdefault(spec.train_size, []).append((work_of(spec, test_size), seconds_here))
    if not measured:
        raise InputError(
            "no finished run has a time at MLflow, and what these runs take cannot be told beforehand: train "
            "one of them with `normlaw run`"
        )
    return Priced(reference, costs_of(measured), test_size, tuple(notes))


def work_of(spec: RunSpec, test_size: int) -> Work:
    """Return what there is to do in a run."""
    points = len(measuring_steps(spec.total_steps, spec.measuring_points))
    return Work(spec.total_steps, points * (spec.kept_examples + test_size + (spec.validation.size or 0)))


def largest_size(spec: RunSpec, catalogue: Catalogue, folder: Path, largest: int, notes: list[str]) -> int:
    """Return the largest train size that the data set has examples for.

    Args:
        spec: a run.
        catalogue: where the data set is found.
        folder: of data sets' files.
        largest: the largest train size that was trained.
        notes: what could not be found out is added.

    """
    if spec.sampling == "one_pass" or catalogue.get(Dataset, spec.dataset.name).seeded:
        return LARGEST
    try:
        splits = load_splits(spec.model_copy(update={"train_size": largest}), catalogue, folder)
    except InputError as error:
        notes.append(f"no larger train sizes are planned: {error}")
        return largest
    return max(len(splits.train) - (spec.validation.size or 0), largest)


def changes_of(study: Study, spec: RunSpec) -> dict[Change, str]:
    """Return how all runs of a study could be trained again, with the key under `fixed` that says it."""
    found: dict[Change, str] = {}
    if spec.follows_norm or spec.sampling == "one_pass":
        return found
    length = "epochs" if spec.epochs is not None else "steps"
    if length in study.fixed:
        found["longer"] = length
    if "measuring_points" not in study.varied:
        found["denser"] = "measuring_points"
    return found


def changed(spec: RunSpec, key: str, factor: float) -> dict[str, Any]:
    """Return what stands under `fixed` of runs with so many times as many steps, epochs or points."""
    return {key: round(getattr(spec, key) * factor)}


def _test_size(spec: RunSpec, catalogue: Catalogue) -> int:
    dataset = catalogue.get(Dataset, spec.dataset.name)
    if dataset.info is None:
        return 0
    return dataset.info(validate_params(dataset, spec.dataset.params)).test_size


Timed = tuple[StudyRun, float, str]
"""A run, its core-seconds, and the device that it was trained on."""


def _core_seconds(runs: Sequence[StudyRun], launches: Mapping[str, Mapping[str, str]]) -> list[Timed]:
    """Return the core-seconds of the runs that have a time."""
    by_launch: dict[str, list[StudyRun]] = {}
    for run in runs:
        if run.end_time is not None and run.end_time > run.start_time:
            by_launch.setdefault(run.launch, []).append(run)
    found: list[Timed] = []
    for launch, members in by_launch.items():
        about = launches.get(launch, {})
        at_a_time = int(about["max_parallel"]) if about.get("max_parallel", "").isdigit() else None
        spans = [(run.start_time / 1000, (run.end_time or 0) / 1000) for run in members]
        seconds = core_seconds(spans, at_a_time or None)
        found += [(run, one, about.get("device", "")) for run, one in zip(members, seconds, strict=True)]
    return found


def _of_one_device(timed: Sequence[Timed], notes: list[str]) -> list[tuple[StudyRun, float]]:
    """Return the runs of the device that trained most, and note that there are others."""
    devices = Counter(device for _, _, device in timed)
    if not devices:
        return []
    usual, count = devices.most_common(1)[0]
    if len(devices) > 1:
        others = ", ".join(f"{n} on {device or 'an unknown device'}" for device, n in devices.items())
        notes.append(f"runs were trained {others}: costs are those of the {count} on {usual or 'the first'}")
    elif usual not in ("", "cpu"):
        notes.append(f"runs were trained on {usual}: core-hours are hours of that device")
    return [(run, seconds) for run, seconds, device in timed if device == usual]
