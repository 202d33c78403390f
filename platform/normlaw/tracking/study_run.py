"""A run of a study as MLflow has it, in types of our own: what all outside this folder see of one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Self

from mlflow.entities import Run

from normlaw.study.identity import Measures
from normlaw.study.listed import named_now, settled
from normlaw.tracking import keys
from normlaw.tracking.same import measured_in
from normlaw_registry.dataset import EXAMPLES
from normlaw_registry.host.vectors import measure_of

Kind = Literal["training", "imported", "theory", "analysis"]


@dataclass(frozen=True)
class StudyRun:
    """One run at MLflow."""

    run_id: str
    """MLflow's."""
    spec_hash: str
    """Its identity; empty for an analysis of a version before."""
    name: str
    kind: str
    status: str
    """As MLflow has it: FINISHED, FAILED, KILLED, RUNNING."""
    start_time: int
    """Milliseconds since 1970."""
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    """The last value of each."""
    measures: Measures
    """What was measured, with the parameters where they are known."""
    exactness: Mapping[str, str]
    """Of each measure: exact, upper_bound or estimate, the weakest of its values; empty where not noted."""
    setting: str | None
    """Of an analysis: what tells the runs that it is of from the study's others; None where none was fitted."""
    norm: str
    """Of an analysis: the measure that it is in."""
    artifacts: str
    """URI of its artifacts."""
    end_time: int | None = None
    """Milliseconds since 1970; None of a run that is in training, or whose process was killed."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Those that belong to it wherever it is stored, `keys.LASTING`."""
    failure: str = ""
    """Why it failed."""
    launch: str = ""
    """The launch that began it."""

    @classmethod
    def of(cls, run: Run) -> Self:
        """Return what MLflow's client found."""
        tags = run.data.tags
        return cls(
            run_id=run.info.run_id,
            spec_hash=tags.get(keys.SPEC_HASH, ""),
            name=str(run.info.run_name),
            kind=tags.get(keys.KIND, ""),
            status=run.info.status,
            start_time=int(run.info.start_time),
            params=named_now(run.data.params),
            metrics=run.data.metrics,
            measures=measured_in(run),
            exactness=exactness_of(tags.get(keys.EXACTNESS, "")),
            setting=tags.get(keys.SETTING),
            norm=tags.get(keys.NORM, ""),
            artifacts=run.info.artifact_uri,
            end_time=None if run.info.end_time is None else int(run.info.end_time),
            tags={key: tags[key] for key in keys.LASTING if key in tags},
            failure=tags.get(keys.FAILURE, ""),
            launch=tags.get(keys.LAUNCH, ""),
        )

    @property
    def train_size(self) -> int:
        """Train size P, in `unit`."""
        return int(self.params["train_size"])

    @property
    def unit(self) -> str:
        """What train sizes count; empty where it was not noted: examples."""
        return self.tags.get(keys.UNIT, "")

    @property
    def references(self) -> dict[str, float]:
        """Of a theory's run: the errors to compare with, by name."""
        found = self.metrics.items()
        return {k.removeprefix(keys.REFERENCE): value for k, value in found if k.startswith(keys.REFERENCE)}


def inexact(runs: Iterable[StudyRun], norm: str) -> dict[str, int]:
    """Return of how many runs a norm is not exact at every point: what it is instead -> runs."""
    return dict(Counter(e for run in runs if (e := run.exactness.get(measure_of(norm), "exact")) != "exact"))


def unit_of(runs: Iterable[StudyRun]) -> str:
    """Return what the train sizes of some runs count."""
    return " or ".join(dict.fromkeys(run.unit for run in runs if run.unit)) or EXAMPLES


def fingerprints(runs: Iterable[StudyRun]) -> dict[str, int]:
    """Return which files the runs' data were read from: a digest -> runs. Runs that note none are left out."""
    return dict(Counter(told for run in runs if (told := run.tags.get(keys.FINGERPRINT))))


def exactness_of(tag: str) -> dict[str, str]:
    """Return what a tag says; nothing where it cannot be read, as anyone may edit it."""
    try:
        found = json.loads(tag)
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def finished(runs: Iterable[StudyRun], norm: str | None = None) -> list[StudyRun]:
    """Return one finished run for each that was trained: of several, the one that measured the most.

    Args:
        runs: oldest first; of runs that measured as much, the first is taken.
        norm: a measure that counts more than all others.

    """
    kept: dict[Hashable, StudyRun] = {}
    for run in runs:
        if run.status != "FINISHED":
            continue
        which = settled(run.params) if run.kind == "training" else run.spec_hash
        if which not in kept or _rank(run, norm) > _rank(kept[which], norm):
            kept[which] = run
    return list(kept.values())


def _rank(run: StudyRun, norm: str | None) -> tuple[bool, int]:
    return norm is not None and measure_of(norm) in run.measures, len(run.measures)
