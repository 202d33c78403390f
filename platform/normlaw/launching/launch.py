"""Carry out a study: check it whole, train what is missing, and send it meanwhile."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from pathlib import Path

from normlaw.base.html import paragraph, table, together
from normlaw.execution.attempt import clear_checkpoints
from normlaw.execution.choice import ExecutorChoice, ExecutorName
from normlaw.execution.devices import processors
from normlaw.execution.forks import clear_forks, forks_of, in_waves, trunks_left_by_all
from normlaw.execution.job import CHECKPOINT_SECONDS, Job, Outcome, Progress
from normlaw.execution.shared_work import train_shared
from normlaw.launching.display import Display
from normlaw.launching.plan import make_plan
from normlaw.launching.readiness import make_ready
from normlaw.machine import environment
from normlaw.study import home as kept
from normlaw.study.expansion import planned_runs
from normlaw.study.home import journal_path, keep_study
from normlaw.study.study import Study
from normlaw.tracking.launch_file import Launch
from normlaw.tracking.record import is_done
from normlaw.tracking.session import session_of
from normlaw_registry import Catalogue, InputError

MAX_PARALLEL = 1024
"""Processes of one launch: each takes some hundred megabytes, and more is a slip of the pen."""


def _refuse_numbers(*, checkpoint_seconds: float, max_parallel: int | None, stack: int | None) -> None:
    """Raise an InputError where a number makes no sense; NaN passes every comparison but these."""
    if not 0 <= checkpoint_seconds < inf:
        raise InputError(f"checkpoint_seconds must be a finite number, 0 at least, got {checkpoint_seconds:g}")
    for name, value in (("max_parallel", max_parallel), ("stack", stack)):
        if value is not None and not value >= 1:
            raise InputError(f"{name} must be 1 at least, got {value}")
    if max_parallel is not None and max_parallel > MAX_PARALLEL:
        raise InputError(f"max_parallel must be {MAX_PARALLEL} at most, got {max_parallel}")


@dataclass
class Summary:
    """What a launch did."""

    trained: int = 0
    already_there: int = 0
    elsewhere: int = 0
    """Runs that another process finished while this one worked on the same study."""
    failed: dict[str, str] = field(default_factory=dict)
    """Run name -> reason."""
    tracebacks: dict[str, str] = field(default_factory=dict)
    """Run name -> traceback, as Python shows it, of the failed runs that have one."""
    unsent: dict[str, str] = field(default_factory=dict)
    """Run name -> why; the journal keeps the run, and `normlaw sync` sends it."""

    def count(self, outcome: Outcome, name: str) -> None:
        """Take in how a run ended."""
        if outcome.failure is not None:
            self.failed[name] = outcome.failure
            if outcome.traceback:
                self.tracebacks[name] = outcome.traceback
        elif outcome.elsewhere:
            self.elsewhere += 1
        else:
            self.trained += 1

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        counts = {
            "trained": self.trained,
            "already there": self.already_there,
            "trained by another process": self.elsewhere,
            "failed": len(self.failed),
            "not sent to MLflow": len(self.unsent),
        }
        told = {**self.failed, **self.unsent}
        return together(
            paragraph(
                ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing to do"
            ),
            table(["run", "reason"], told.items()) if told else "",
        )

    @property
    def complete(self) -> bool:
        """True when every run of the study is finished, and in MLflow unless the launch was offline."""
        return not self.failed and not self.unsent


def launch(
    study: Study,
    catalogue: Catalogue,
    display: Display,
    *,
    tracking_uri: str | None = None,
    home: Path | None = None,
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
    checked; where nothing is missing, only the study and the server are. A run that another process trains at
    the same time is left to it, and waited for.

    Args:
        study: what to train.
        catalogue: where its components come from.
        display: shows what happens.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.
        home: folder of the journals; default NORMLAW_HOME, else .normlaw in the working folder.
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
    home = home or kept.HOME
    _refuse_numbers(checkpoint_seconds=checkpoint_seconds, max_parallel=max_parallel, stack=stack)
    choice = ExecutorChoice(executor, scheduler, cluster_config)
    choice.require_consistent()
    planned_as = planned_runs(study, catalogue)
    specs = {spec_hash: planned.spec for spec_hash, planned in planned_as.items()}
    with ExitStack() as opened:
        ready = partial(
            make_ready, opened, choice, device, home, catalogue, display, download=download, offline=offline
        )
        done = {h for h, spec in specs.items() if is_done(journal_path(home, study.name, h), spec)}
        undone = [planned for h, planned in planned_as.items() if h not in done]
        hands = ready(undone) if undone else None
        with display.working("looking at what is stored of it already"):
            session = opened.enter_context(session_of(study, home, tracking_uri, offline=offline))
            plan = make_plan(study, specs, catalogue, home, session.finished(specs))
        keep_study(home, study)
        for reason in plan.reasons():
            display.say(reason)
        missing = plan.missing
        clear_checkpoints(home, study.name, plan.on_disk - {spec.spec_hash for spec in missing})
        summary = Summary(already_there=len(specs) - len(missing))
        if missing:
            hands = hands or ready([planned_as[spec.spec_hash] for spec in missing])
            job = Job(
                study=study.name,
                abscissa=study.abscissa,
                home=home,
                folder=home / "data",
                device=hands.device,
                environment={**environment.describe(catalogue), "device": hands.described},
                max_parallel=max_parallel or len(processors(hands.device)),
                checkpoint_seconds=checkpoint_seconds,
                forks=forks_of(missing),
                begun_as=plan.begun_as,
            )
            about = {"runs": str(len(missing)), "device": hands.device, "executor": executor}
            about["max_parallel"] = str(job.max_parallel)
            launched = opened.enter_context(Launch(home, study.name, about))
            job = replace(job, environment={**job.environment, "launch": launched.name})
            session.begin(launched.name, system_load)
        report = opened.enter_context(display.training(missing, already_done=summary.already_there))
        left = (plan.on_disk | session.running) - {job.name(spec.spec_hash) for spec in missing}
        opened.enter_context(session.sending(left, report.backlog, report.refused))
        if missing and hands is not None:

            def note(news: Progress) -> None:
                report.progress(news)
                session.in_training(job.name(news.spec_hash))

            together = hands.stacking(missing, job.folder, stack, display)
            train = partial(
                train_shared,
                executor=hands.executor,
                job=job,
                together=together,
                on_progress=note,
                on_wait=report.waiting_for,
            )
            for outcome in in_waves(missing, train):
                spec = specs[outcome.spec_hash]
                summary.count(outcome, study.run_name(spec))
                session.ended(job.name(spec.spec_hash))
                report.ended(spec, outcome)
            clear_forks(home, study.name, trunks_left_by_all(specs.values(), job.journal))
        names = {h: study.run_name(spec) for h, spec in specs.items()}
        summary.unsent = {names.get(h, h): reason for h, reason in session.finish().items()}
        if missing:
            numbers = {"trained": summary.trained, "failed": len(summary.failed)}
            launched.end("FAILED" if summary.failed else "FINISHED", numbers)
    return summary
