"""`BatchSite`: workers are jobs of Slurm or PBS, submitted by dask-jobqueue as long as there is work."""

from __future__ import annotations

import os
import shutil
import signal
import warnings
from pathlib import Path
from time import monotonic
from typing import Any, Literal

import dask
from dask.utils import parse_bytes
from distributed import Client
from distributed.deploy.spec import ProcessInterface

from normlaw.execution.cluster.configuration import BatchConfiguration, needs
from normlaw.execution.cluster.queued import QueuedJobs
from normlaw.execution.cluster.sites import quiet_client
from normlaw.execution.interrupts import last_acts
from normlaw_registry import InputError, NormlawError

_on_interrupt = signal.getsignal(signal.SIGINT)
from dask_jobqueue import PBSCluster, SLURMCluster  # noqa: E402
from dask_jobqueue.pbs import PBSJob, pbs_format_bytes_ceil  # noqa: E402
from dask_jobqueue.slurm import SLURMJob  # noqa: E402

signal.signal(signal.SIGINT, _on_interrupt)  # that import makes Ctrl-C end the program at once, with success

System = Literal["slurm", "pbs"]
ONE_ARENA = "export MALLOC_ARENA_MAX=1"
"""A Dask worker trains in a thread, and glibc keeps freed memory (`keep_freed_memory`) in the main arena only:
a CNN's step takes an eighth less time with this, in bfloat16 a fifth."""
SECONDS_UNTIL_REPLACED = 30.0
"""How long a job's workers are gone before another job takes its place; a nanny restarts a worker sooner."""
SECONDS_BETWEEN_LOOKS = 2.0


class BatchSite:
    """Jobs of a batch system; the scheduler lives in this process.

    Args:
        system: which batch system.
        configuration: what a job is.
        home: folder that launcher and jobs share; keys and logs lie in `cluster` below it.

    Raises:
        InputError: the commands of the batch system are not installed here, or the configuration is not enough.

    """

    worker_seconds: float | None = None

    def __init__(self, system: System, configuration: BatchConfiguration, home: Path) -> None:
        self.name = {"slurm": "Slurm", "pbs": "PBS"}[system]
        job: type[Any] = {"slurm": _SlurmJob, "pbs": _PbsJob}[system]
        if shutil.which(job.submit_command) is None:
            raise InputError(
                f"--executor {system}: there is no command {job.submit_command} here; start normlaw on a "
                f"machine from which {self.name} jobs are submitted"
            )
        self._jobs = configuration.jobs
        self._refusals: list[str] = []
        options = job_options(system, configuration, home)
        self._workers = options["processes"]
        self.needs = needs(configuration.gpus / self._workers, parse_bytes(options["memory"]) // self._workers)
        self._queued = QueuedJobs(job.cancel_command)
        self._cluster = open_cluster(system, options, job_cls=_reporting(job, self._refusals, self._queued))
        self._cancel_at_once = self._queued.cancel
        last_acts.append(self._cancel_at_once)
        self._last_look = -SECONDS_BETWEEN_LOOKS
        self._last_seen: dict[str, float] = {}

    def connect(self, seconds: float) -> Client:
        """Return a connection to the scheduler in this process."""
        return quiet_client(self._cluster, seconds)

    def job_script(self) -> str:
        """Return the script that is submitted; the worker's name is another one for each job."""
        return str(self._cluster.job_script())

    def provide_workers(self, client: Client, unfinished: int) -> None:
        """Submit jobs for what is unfinished, replace those that are gone, end those that are not needed.

        Raises:
            NormlawError: the batch system refuses the jobs; says why.

        """
        if self._refusals:
            raise NormlawError(f"{self.name} refuses the jobs: {self._refusals[0]}")
        now = monotonic()
        if now - self._last_look < SECONDS_BETWEEN_LOOKS:
            return
        self._last_look = now
        wanted = min(self._jobs, -(-unfinished // self._workers))
        at_work = self._at_work(client)
        self._last_seen.update(dict.fromkeys(at_work, now))
        jobs = set(self._cluster.worker_spec)
        gone = {
            job
            for job in jobs & self._last_seen.keys() - at_work.keys()
            if now - self._last_seen[job] > SECONDS_UNTIL_REPLACED
        }
        pending = [job for job in jobs if job not in self._last_seen]
        idle = [job for job, busy in at_work.items() if not busy and job in jobs]
        spare = max(0, len(jobs) - len(gone) - wanted)
        closed = gone.union((pending + idle)[:spare])
        if closed:
            self._cluster.sync(self._cluster.scale_down, closed)
            for job in closed:  # another job will have this name, and may wait in the queue for long
                self._last_seen.pop(job, None)
        if len(jobs) - len(closed) < wanted:
            self._cluster.scale(jobs=wanted)

    def _at_work(self, client: Client) -> dict[str, bool]:
        """Return each job that has a worker now, and whether it is busy."""
        processing = client.processing()
        jobs: dict[str, bool] = {}
        for address, worker in client.scheduler_info(n_workers=-1)["workers"].items():
            job = worker["name"].rpartition("-")[0] if self._workers > 1 else worker["name"]
            jobs[job] = jobs.get(job, False) or bool(processing.get(address))
        return jobs

    def close(self) -> None:
        """Cancel the jobs and end the scheduler."""
        try:
            self._cluster.close(timeout=30)
        except OSError:  # the batch system is slow, or Dask's end has failed
            self._queued.cancel()
        finally:
            last_acts.remove(self._cancel_at_once)


def job_options(system: System, configuration: BatchConfiguration, home: Path) -> dict[str, Any]:
    """Return dask-jobqueue's keywords for a job: one worker process of one thread for each run at a time.

    Raises:
        InputError: neither the configuration nor Dask's `jobqueue.yaml` says how many cores or how much memory.

    """
    given = configuration.model_dump(exclude_none=True, exclude={"jobs", "gpus", "workers", "tls", "cores"})
    cores = configuration.cores or dask.config.get(f"jobqueue.{system}.cores")
    memory = configuration.memory or dask.config.get(f"jobqueue.{system}.memory")
    for key, value in (("cores", cores), ("memory", memory)):
        if value is None:
            raise InputError(
                f"how much is a job? Give `{key}` in --cluster-config, or jobqueue.{system}.{key} in Dask's "
                "configuration (~/.config/dask/jobqueue.yaml)"
            )
    gpus = configuration.gpus
    workers = configuration.workers or gpus or cores
    if workers > cores:
        raise InputError(
            f"`workers`: {workers} workers of one thread each need as many cores; a job has {cores}"
        )
    directives = list(given.pop("job_extra_directives", None) or _default(system, "job-extra-directives"))
    if system == "slurm":
        given["job_cpu"] = cores
        if gpus and not any("gpu" in directive for directive in directives):
            directives.append(f"--gres=gpu:{gpus}")
    else:
        spec = f"select=1:ncpus={cores}" + (f":ngpus={gpus}" if gpus else "")
        given.setdefault(
            "resource_spec", _default(system, "resource-spec") or f"{spec}:mem={_pbs_size(memory)}"
        )
    offered = needs(gpus / workers, parse_bytes(memory) // workers)
    prologue = given.pop("job_script_prologue", None) or _default(system, "job-script-prologue")
    extra = list(given.pop("worker_extra_args", None) or _default(system, "worker-extra-args"))
    extra += ["--resources", ",".join(f"{name}={amount:.12g}" for name, amount in offered.items())]
    shared = str(home.resolve() / "cluster")
    return {
        "job_name": "normlaw",
        "log_directory": shared,
        "shared_temp_directory": shared,
        **given,
        "cores": workers,
        "processes": workers,
        "memory": memory,
        "job_extra_directives": directives,
        "job_script_prologue": [ONE_ARENA, *prologue],
        "worker_extra_args": extra,
        "security": configuration.tls or None,
    }


def open_cluster(system: System, options: dict[str, Any], **more: Any) -> SLURMCluster | PBSCluster:
    """Start a scheduler in this process for jobs that are yet to be submitted.

    Raises:
        InputError: dask-jobqueue does not take these options.

    """
    kind = {"slurm": SLURMCluster, "pbs": PBSCluster}[system]
    os.makedirs(options["shared_temp_directory"], exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a dashboard's port that is taken: the one that is used is told
        try:
            return kind(**options, **more)
        except (ValueError, TypeError, OSError, RuntimeError) as error:
            raise InputError(f"--executor {system}: the scheduler cannot be started: {error}") from None


def _default(system: System, key: str) -> Any:
    return dask.config.get(f"jobqueue.{system}.{key}") or []


def _pbs_size(memory: str) -> str:
    return str(pbs_format_bytes_ceil(parse_bytes(memory)))


class _SlurmJob(SLURMJob):  # type: ignore[misc]
    """A job whose failed submission is told; see `_reporting`."""


class _PbsJob(PBSJob):  # type: ignore[misc]
    """A job whose failed submission is told; see `_reporting`."""


def _reporting(kind: type[Any], refusals: list[str], queued: QueuedJobs) -> type[Any]:
    """Return the class of a job that tells its number, or why it was not submitted: Dask would only log it.

    Its commands have sessions of their own: Ctrl-C, which reaches all processes at a terminal, would end them.
    """

    class ReportingJob(kind):  # type: ignore[misc]
        async def start(self) -> None:
            if not queued.begin():
                await ProcessInterface.start(self)
                return
            try:
                await super().start()
            except (RuntimeError, ValueError, OSError) as error:
                lines = [line.strip() for line in str(error).splitlines() if line.strip()]
                refusals.append(lines[-1] if lines else repr(error))
                await ProcessInterface.start(self)
            finally:
                queued.end(self.job_id)

        async def close(self) -> None:
            await super().close()
            queued.gone(self.job_id)

        @staticmethod
        async def _call(command: list[str], **options: Any) -> Any:
            return await kind._call(command, start_new_session=True, **options)

    return ReportingJob
