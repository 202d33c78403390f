"""Which executor trains the runs: processes of this machine, or Dask on others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, Self

from normlaw.execution import local
from normlaw.execution.devices import choose_device, describe_device, processors
from normlaw.execution.job import Job, Outcome, Progress, Stack
from normlaw.execution.process import WorkerProcess
from normlaw_registry import InputError

if TYPE_CHECKING:
    from normlaw.execution.cluster.sites import Site

ExecutorName = Literal["local", "dask", "slurm", "pbs"]
ADDRESS_VARIABLE = "DASK_SCHEDULER_ADDRESS"
"""Dask's own variable."""


class Executor(Protocol):
    """Trains stacks of runs."""

    def choose_device(self, wanted: str) -> str:
        """Return the name of the device that runs will train on; 'auto' only where workers differ in it.

        Raises:
            InputError: there is no such device.

        """

    def describe_device(self, name: str) -> str:
        """Return what a run's record says of a device, unless its worker says more."""

    def execute(
        self, stacks: Iterable[Stack], job: Job, on_progress: Callable[[Progress], None]
    ) -> Iterator[Outcome]:
        """Train the runs and yield each one's outcome as it comes; closing the iterator stops them."""

    def trial_device(self, device: str) -> str:
        """Return the device of this machine on which runs are tried out that will train on `device`."""

    def take(self, process: WorkerProcess | None) -> None:
        """Take over a process of this machine in which runs were tried out: to train with, or to end it."""


class LocalExecutor:
    """Trains runs in processes of this machine. Use it as a context manager."""

    def __init__(self) -> None:
        self._spare: WorkerProcess | None = None
        self._spare_used = False

    def __enter__(self) -> Self:
        """Return the executor itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process that was taken over, if it is there still: an interruption may precede its use."""
        if self._spare is not None:
            self._spare.end()

    def choose_device(self, wanted: str) -> str:
        """Return a device of this machine; see `devices.choose_device`."""
        return choose_device(wanted)

    def describe_device(self, name: str) -> str:
        """Return its model."""
        return describe_device(name)

    def execute(
        self, stacks: Iterable[Stack], job: Job, on_progress: Callable[[Progress], None]
    ) -> Iterator[Outcome]:
        """Train the runs; see `local.execute`."""
        spare = None if self._spare_used else self._spare
        self._spare_used = True
        return local.execute(stacks, job, on_progress, spare)

    def trial_device(self, device: str) -> str:
        """Return the first of the processors that runs will train on."""
        return processors(device)[0]

    def take(self, process: WorkerProcess | None) -> None:
        """Keep a process to train with: it has loaded the data already."""
        self._spare = process


@dataclass(frozen=True)
class ExecutorChoice:
    """What the command line says of the executor."""

    name: ExecutorName = "local"
    scheduler: str | None = None
    """Address of a Dask scheduler, or the path of its file."""
    configuration: Path | None = None

    def require_consistent(self) -> None:
        """Raise an InputError where the options contradict each other."""
        if self.scheduler is not None and self.name != "dask":
            raise InputError("--scheduler belongs to --executor dask")
        if self.configuration is not None and self.name == "local":
            raise InputError("--cluster-config belongs to --executor dask, slurm and pbs")

    def open(
        self, home: Path, plugins: Iterable[str], tell: Callable[[str], None]
    ) -> AbstractContextManager[Executor]:
        """Return the executor, to be used as a context manager.

        Args:
            home: folder of journals and checkpoints.
            plugins: distributions of the plugins that are installed here.
            tell: shows the user a line.

        Raises:
            InputError: the options contradict each other, the extra is not installed, or what the executor
                needs is not there.

        """
        self.require_consistent()
        if self.name == "local":
            return LocalExecutor()
        for needed in ("distributed", "dask_jobqueue"):
            if find_spec(needed) is None:
                raise InputError(
                    f"--executor {self.name} needs Dask ({needed} is not installed): "
                    "pip install 'normlaw[cluster]', here and on the workers"
                )
        from normlaw.execution.cluster.executor import ClusterExecutor

        return ClusterExecutor(self._site(home), home, plugins, tell)

    def _site(self, home: Path) -> Site:
        from normlaw.execution.cluster.configuration import (
            BatchConfiguration,
            DaskConfiguration,
            read_configuration,
        )

        if self.name == "dask":
            from normlaw.execution.cluster.sites import DaskSite

            address = self.scheduler or os.environ.get(ADDRESS_VARIABLE)
            if not address:
                raise InputError(
                    f"--executor dask: give --scheduler tcp://HOST:8786, or set {ADDRESS_VARIABLE}"
                )
            return DaskSite(address, read_configuration(self.configuration, DaskConfiguration))
        assert self.name in ("slurm", "pbs")
        from normlaw.execution.cluster.batch import BatchSite

        return BatchSite(self.name, read_configuration(self.configuration, BatchConfiguration), home)
