"""A Dask scheduler with workers, on loopback, begun anew whenever they end, as compose and batch systems do.

They are `dask scheduler` and `dask worker` in processes that are forked from the one that has imported torch;
see forked.py. So are the processes that a nanny begins, also after a crash: importing takes five seconds of
each otherwise. Workers that import everything themselves are those of test_batch_jobs.py.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import distributed

from normlaw_tests import forked
from normlaw_tests.processes import has_ended
from normlaw_tests.servers import free_port
from normlaw_tests.waiting import wait_until


class Supervised:
    """A command of Dask's that is started anew whenever it ends."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command, self._folder = command, folder
        self._ended = threading.Event()
        self._start()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _start(self) -> None:
        self.process = forked.begin(command, *self._command, out=self._folder / "log", folder=self._folder)

    def _watch(self) -> None:
        while not self._ended.is_set():
            self.process.join()
            if not self._ended.wait(0.1):
                self._start()

    @property
    def pid(self) -> int:
        """The process that runs it now."""
        assert self.process.pid is not None  # it has started
        return self.process.pid

    def close(self) -> None:
        """Kill it and let it rest."""
        self._ended.set()
        self.process.kill()
        self._thread.join()
        self.process.kill()  # it may have been started anew in between
        self.process.join()


def command(*arguments: str) -> None:
    """Run `dask` with these arguments; processes that it begins are forked as it was itself.

    No process notes a hundred times a second what it is at, nor looks fifty times whether it is late, which is
    for pages of Dask's.
    """
    import dask
    from dask.cli import run_cli
    from distributed import nanny, process

    context = forked.context()
    nanny.get_mp_context = process.get_mp_context = lambda: context
    tracker: Any = resource_tracker
    tracker._resource_tracker._fd = None  # one of its own, which tidies up after it when it is killed
    dask.config.set({"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"})
    sys.argv = ["dask", *arguments]
    run_cli()


@dataclass
class DaskCluster:
    """What tests know of the cluster.

    Attributes:
        address: of the scheduler.
        scheduler: its process.
        workers: the nannies, by the name of the worker that each has.

    """

    address: str
    scheduler: Supervised
    workers: dict[str, Supervised]

    def worker_pids(self) -> dict[str, int]:
        """Return the process of each worker (not of its nanny) by the worker's name."""
        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers))
            names = {a: w["name"] for a, w in client.scheduler_info(n_workers=-1)["workers"].items()}
            return {names[address]: pid for address, pid in pids_of_workers(client).items()}


def pids_of_workers(client: Any) -> dict[str, int]:
    """Return the process of each worker by its address.

    `os.getpid` itself would have its signature parsed by the worker, and Python 3.11 (cpython issue 106905)
    cannot do that in one thread while another imports torch: the import fails with a SystemError.
    """
    found = client.run(lambda: os.getpid(), on_error="ignore")  # noqa: PLW0108
    assert isinstance(found, dict)
    return found


@contextmanager
def running(folder: Path) -> Iterator[DaskCluster]:
    """Run a scheduler with the workers `a` and `b` while the block lasts; a folder takes what they write."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    host = ["--host", "127.0.0.1"]
    with closing(
        Supervised(["scheduler", *host, "--port", str(port), "--dashboard-address", ":0"], folder)
    ) as scheduler:
        workers: dict[str, Supervised] = {}
        cluster = DaskCluster(address, scheduler, workers)
        pids: dict[str, int] = {}
        try:
            for name in ("a", "b"):
                options = ["--nthreads", "1", "--name", name, *host, "--local-directory", str(folder)]
                workers[name] = Supervised(["worker", address, *options], folder)
            yield cluster
            pids = cluster.worker_pids()
        finally:
            for worker in workers.values():
                worker.close()
    wait_until(lambda: all(map(has_ended, pids.values())))  # as they do once their nannies are gone
