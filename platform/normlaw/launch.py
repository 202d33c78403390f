"""Carry out a study: check it whole, train what is missing, send what is trained."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mlflow.exceptions import MlflowException

from normlaw import environment
from normlaw.display import Display
from normlaw.execution.devices import choose_device, describe_device
from normlaw.execution.job import Job
from normlaw.execution.local import execute
from normlaw.spec import RunSpec
from normlaw.study import Study, expand
from normlaw.support import check_support
from normlaw.tracking.client import connect, redacted
from normlaw.tracking.journal import Record, journal_path, read_journal
from normlaw.tracking.reader import runs_by_hash
from normlaw.tracking.writer import RunWriter, open_experiment
from normlaw.training.data import load_splits
from normlaw.yaml_source import YamlSource
from normlaw_registry import Architecture, Catalogue, Dataset, InputError, NormlawError, validate_params

HOME = Path(os.environ.get("NORMLAW_HOME", ".normlaw"))
"""Folder of the journals and of data sets' files."""


@dataclass
class Summary:
    """What a launch did."""

    trained: int = 0
    already_there: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    """Run name -> reason."""
    unsent: dict[str, str] = field(default_factory=dict)
    """Run name -> what the server said; the journal keeps the run, and the next launch sends it."""

    @property
    def complete(self) -> bool:
        """True when every run of the study is finished and in MLflow."""
        return not self.failed and not self.unsent


def launch(
    study: Study,
    source: YamlSource,
    catalogue: Catalogue,
    display: Display,
    *,
    tracking_uri: str | None = None,
    home: Path = HOME,
    device: str = "auto",
    download: bool = False,
    max_parallel: int,
) -> Summary:
    """Train every run of the study that MLflow does not have yet, and send it.

    Nothing is trained or written before the study, the data sets, the networks and the server have been
    checked.

    Raises:
        InputError: the study asks for what cannot be done, or the server does not answer.
        KeyboardInterrupt: passed on after the runs have stopped at their next measuring point.

    """
    specs = expand(study, catalogue, source)
    device = choose_device(device)
    check_support(specs, catalogue, device)
    check(specs, catalogue, home / "data", download=download)
    client = connect(tracking_uri)
    experiment = open_experiment(client, study)
    writer = RunWriter(client, experiment, study.abscissa)
    known = runs_by_hash(client, experiment)
    by_hash = {spec.spec_hash: spec for spec in specs}
    summary = Summary()

    def journal(spec: RunSpec) -> Record | None:
        return read_journal(journal_path(home, study.name, spec.spec_hash))

    def send(spec: RunSpec, record: Record) -> None:
        before = known.get(spec.spec_hash)
        begun = before if before is not None and before.info.status == "RUNNING" else None
        try:
            writer.write(record, begun)
        except MlflowException as error:
            summary.unsent[spec.run_name] = redacted(str(error)).partition("\n")[0]

    missing: list[RunSpec] = []
    for spec_hash, spec in by_hash.items():
        if spec_hash in known and known[spec_hash].info.status == "FINISHED":
            summary.already_there += 1
        elif (record := journal(spec)) is not None and record.status == "finished":
            send(spec, record)
            summary.trained += 1
        else:
            missing.append(spec)
    job = Job(
        study=study.name,
        abscissa=study.abscissa,
        home=home,
        folder=home / "data",
        device=device,
        environment={**environment.describe(catalogue), "device": describe_device(device)},
        max_parallel=max_parallel,
    )
    with display.training(missing, already_done=len(specs) - len(missing)) as report:
        for outcome in execute([(spec,) for spec in missing], job, report.progress):
            spec = by_hash[outcome.spec_hash]
            if outcome.stopped or outcome.elsewhere:
                continue
            if outcome.failure is not None:
                summary.failed[spec.run_name] = outcome.failure
            else:
                summary.trained += 1
            if (record := journal(spec)) is not None and record.status is not None:
                send(spec, record)
            report.ended(spec, outcome.failure)
    return summary


def check(specs: Iterable[RunSpec], catalogue: Catalogue, folder: Path, *, download: bool = False) -> None:
    """Load every data set and build every network once, before anything is trained.

    Files of data sets that are not there are fetched with `download`, and only here.

    Raises:
        InputError: a train_size is larger than its data set, files are missing, or a network does not fit.

    """
    seen: set[str] = set()
    for spec in sorted(specs, key=lambda spec: -spec.train_size):  # the largest size of each pair comes first
        pair = f"{spec.dataset!r} {spec.architecture!r}"
        if pair in seen or catalogue.get(Dataset, spec.dataset.name).seeded:
            continue
        seen.add(pair)
        task = load_splits(spec, catalogue, folder, download=download).task
        architecture = catalogue.get(Architecture, spec.architecture.name)
        try:
            architecture.build(validate_params(architecture, spec.architecture.params), task)
        except NormlawError:
            raise
        except Exception as error:  # a plugin's own code may fail in any way
            raise InputError(
                f"architecture {spec.architecture.name!r} cannot be built for data set {spec.dataset.name!r} "
                f"(inputs {task.input_shape}): {type(error).__name__}: {error}"
            ) from error
