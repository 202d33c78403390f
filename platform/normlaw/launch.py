"""Carry out a study: check it whole, train what is missing, and send it meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from normlaw import environment
from normlaw.display import Display, Report
from normlaw.execution.choice import Executor, ExecutorChoice, ExecutorName
from normlaw.execution.devices import largest_stack, processors
from normlaw.execution.job import CHECKPOINT_SECONDS, Job, Outcome, Progress, Stack
from normlaw.home import HOME, journal_path, keep_study
from normlaw.preflight import check
from normlaw.spec import RunSpec
from normlaw.study import Study, expand
from normlaw.support import check_support
from normlaw.tracking.client import connect, impatient
from normlaw.tracking.journal import is_being_written
from normlaw.tracking.launch_file import Launch
from normlaw.tracking.launches import Launches
from normlaw.tracking.leftovers import AtServer, look_for_leftovers
from normlaw.tracking.record import journal_status
from normlaw.tracking.sender import Sender
from normlaw.tracking.system_metrics import system_metrics
from normlaw.tracking.writer import RunWriter, open_experiment
from normlaw.training.stacking import stacks
from normlaw.yaml_source import YamlSource
from normlaw_registry import Catalogue, InputError

LOOK_SECONDS = 1.0
"""How often a run that another process trains is looked at."""


@dataclass
class Summary:
    """What a launch did."""

    trained: int = 0
    already_there: int = 0
    elsewhere: int = 0
    """Runs that another process finished while this one worked on the same study."""
    failed: dict[str, str] = field(default_factory=dict)
    """Run name -> reason."""
    unsent: dict[str, str] = field(default_factory=dict)
    """Run name -> why; the journal keeps the run, and `normlaw sync` sends it."""

    @property
    def complete(self) -> bool:
        """True when every run of the study is finished, and in MLflow unless the launch was offline."""
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
    max_parallel: int | None = None,
    stack: int | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    offline: bool = False,
    system_load: bool = False,
    executor: ExecutorName = "local",
    scheduler: str | None = None,
    cluster_config: Path | None = None,
) -> Summary:
    """Train every run of the study that is not finished yet, and send it to MLflow meanwhile.

    Nothing is trained or written before the study, the data sets, the networks and the server have been
    checked. A run that another process trains at the same time is left to it, and waited for.

    Args:
        study: what to train.
        source: where it was written, for error messages.
        catalogue: where its components come from.
        display: shows what happens.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.
        home: folder of the journals.
        device: see `choose_device`.
        download: whether files of data sets may be fetched.
        max_parallel: processes at a time; by default one a core, or one a GPU.
        stack: runs that one process trains together; by default many on a GPU, each alone on a CPU.
        checkpoint_seconds: least time between two checkpoints of a run.
        offline: ask no server; the journals keep all, for `normlaw sync`.
        system_load: log the load of this machine to the launch's MLflow run.
        executor: what trains the runs: local (this machine), dask, slurm or pbs.
        scheduler: for dask: tcp://HOST:8786, or the path of a scheduler file.
        cluster_config: YAML file that says what a task or a batch job is.

    Raises:
        InputError: the study asks for what cannot be done, or the server does not answer.
        KeyboardInterrupt: passed on after the runs have stopped at their next measuring point.

    """
    specs = {spec.spec_hash: spec for spec in expand(study, catalogue, source)}
    with ExitStack() as opened:
        choice = ExecutorChoice(executor, scheduler, cluster_config)
        trainer = opened.enter_context(choice.open(home, environment.plugin_versions(catalogue), display.say))
        device = trainer.choose_device(device)
        check_support(specs.values(), catalogue, device)
        check(specs.values(), catalogue, home / "data", download=download)
        job = Job(
            study=study.name,
            abscissa=study.abscissa,
            home=home,
            folder=home / "data",
            device=device,
            environment={**environment.describe(catalogue), "device": trainer.describe_device(device)},
            max_parallel=max_parallel or len(processors(device)),
            checkpoint_seconds=checkpoint_seconds,
        )
        together = partial(stacks, catalogue=catalogue, folder=job.folder, size=stack or largest_stack(device))
        writer, launches, sender, there = None, None, None, AtServer({})
        if offline:
            keep_study(home, study)
        else:
            opened.enter_context(impatient())
            client = _connected(tracking_uri)
            keep_study(home, study)
            experiment = open_experiment(client, study)
            launches = Launches(client, experiment, home)
            launches.settle()
            opened.callback(lambda: _settle(launches, sender))
            writer = RunWriter(client, experiment, study, launches)
            there = AtServer.of(client, experiment)
        on_disk = {h for h in specs if journal_status(journal_path(home, study.name, h)) == "finished"}
        missing = [spec for h, spec in specs.items() if h not in there.finished | on_disk]
        summary = Summary(already_there=len(specs) - len(missing))
        launched = None
        if missing:
            about = {"runs": str(len(missing)), "device": device, "executor": executor}
            about["max_parallel"] = str(job.max_parallel)
            launched = opened.enter_context(Launch(home, study.name, about))
            job = replace(job, environment={**job.environment, "launch": launched.name})
            if launches is not None:
                with suppress(MlflowException):  # else the first run that is sent makes it
                    run_id = launches.run_of(launched.name, new=True)
                    if system_load and run_id is not None:
                        opened.enter_context(system_metrics(client, run_id))
        report = opened.enter_context(display.training(missing, already_done=summary.already_there))
        if writer is not None:
            sender = opened.enter_context(
                Sender(
                    writer,
                    home,
                    study.name,
                    known=there.known,
                    on_backlog=report.backlog,
                    on_refusal=report.refused,
                )
            )
            left = (on_disk | there.running) - {spec.spec_hash for spec in missing}
            for spec_hash in look_for_leftovers(home, study.name, there, left).unsent:
                sender.ended(spec_hash)
        for outcome in _outcomes(trainer, missing, together, job, report, sender):
            spec = specs[outcome.spec_hash]
            if outcome.failure is not None:
                summary.failed[study.run_name(spec)] = outcome.failure
            elif outcome.elsewhere:
                summary.elsewhere += 1
            else:
                summary.trained += 1
            if sender is not None:
                sender.ended(spec.spec_hash)
            report.ended(spec, outcome.failure)
        if sender is not None:
            sender.finish()
            names = {h: study.run_name(spec) for h, spec in specs.items()}
            summary.unsent = {names.get(h, h): reason for h, reason in sender.unsent.items()}
        if launched is not None:
            numbers = {"launch/trained": summary.trained, "launch/failed": len(summary.failed)}
            launched.end("FAILED" if summary.failed else "FINISHED", numbers)
    return summary


def _settle(launches: Launches | None, sender: Sender | None) -> None:
    """Tell MLflow how launches ended, unless it is away: then the next one tells it."""
    if launches is not None and not (sender is not None and sender.away):
        launches.settle()


def _connected(tracking_uri: str | None) -> MlflowClient:
    try:
        return connect(tracking_uri)
    except InputError as error:
        raise InputError(
            f"{error}\nTo train all the same, give --offline; `normlaw sync` sends the runs later."
        ) from None


def _outcomes(
    trainer: Executor,
    missing: list[RunSpec],
    together: Callable[[list[RunSpec]], list[Stack]],
    job: Job,
    report: Report,
    sender: Sender | None,
) -> Iterator[Outcome]:
    """Train the runs and yield how each ended, whichever process trained it."""

    def note(news: Progress) -> None:
        report.progress(news)
        if sender is not None:
            sender.in_training(news.spec_hash)

    held: list[RunSpec] = []
    """Runs that another process is training, or was when they were looked at last."""
    while missing or held:
        by_hash = {spec.spec_hash: spec for spec in missing}
        for outcome in trainer.execute(together(missing), job, note):
            if outcome.elsewhere:
                held.append(by_hash[outcome.spec_hash])
            elif not outcome.stopped:
                yield outcome
        missing = []
        for spec in list(held):
            journal = journal_path(job.home, job.study, spec.spec_hash)
            if is_being_written(journal):
                continue
            held.remove(spec)
            if journal_status(journal) == "finished":
                yield Outcome(spec.spec_hash, elsewhere=True)
            else:  # the other process was stopped, or the run failed there
                missing.append(spec)
        if held and not missing:
            report.waiting_for(held)
            time.sleep(LOOK_SECONDS)
