"""The line to a Dask scheduler: opened with checks, opened again when it breaks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

from normlaw.execution.cluster.fitness import Errand, check_scheduler_and_workers
from normlaw.execution.cluster.sites import Site
from normlaw.execution.devices import choose_device
from normlaw_registry import InputError, NormlawError

SECONDS_TO_CONNECT = 10.0
SECONDS_TO_RECONNECT = 600.0
"""A scheduler that is started anew may take its time, and so may its workers."""


class Connection:
    """A connection to a site's scheduler over which workers also send news.

    A scheduler that was started anew knows of no task, and a client that has reconnected by itself hears no
    news any more; so a broken connection is given up and a fresh one made, and the executor hands out again
    whatever was under way.

    Args:
        site: where the scheduler is.
        errand: what workers are told; they send their news under the name of its launch.
        hear: takes a task's news; called in a thread of Dask's.
        tell: shows the user a line.

    Raises:
        InputError: nobody answers, a worker is unfit, or none comes.

    """

    def __init__(
        self, site: Site, errand: Errand, hear: Callable[[list[Any]], None], tell: Callable[[str], None]
    ) -> None:
        self._site, self._errand, self._hear, self._tell = site, errand, hear, tell
        try:
            self.client = site.connect(SECONDS_TO_CONNECT)
        except OSError as error:
            reason = str(error).partition("\n")[0]
            raise InputError(
                f"no Dask scheduler answers at {site.name} ({reason}); start one with: dask scheduler"
            ) from None
        try:
            self._welcome()
        except BaseException:
            self.close()
            raise

    def _welcome(self) -> None:
        if self.client.dashboard_link:
            self._tell(f"the scheduler's dashboard: {self.client.dashboard_link}")
        if self._site.worker_seconds is not None:
            self._wait_for_worker(self._site.worker_seconds)
            for warning in check_scheduler_and_workers(self.client, self._errand, self._site.needs):
                self._tell(warning)
        self._listen()

    def _wait_for_worker(self, seconds: float) -> None:
        try:
            self.client.wait_for_workers(1, timeout=seconds)
        except TimeoutError:
            raise InputError(
                f"no worker has come to the scheduler at {self._site.name} within {seconds:g} seconds; start "
                f"some with: dask worker {self._site.name} --nthreads 1"
            ) from None

    def _listen(self) -> None:
        self.client.subscribe_topic(self._errand.launch, lambda event: self._hear(event[1]))

    def common_device(self) -> str:
        """Return what 'auto' means on the workers: 'cpu' or 'cuda'; 'auto' again where they differ."""
        kinds = set(self.client.run(choose_device, "auto", on_error="ignore").values())
        return kinds.pop() if len(kinds) == 1 else "auto" if kinds else "cpu"

    def require(self) -> None:
        """Do nothing while the connection stands.

        Raises:
            OSError: it is broken.

        """
        if self.client.status != "running":
            raise OSError("it was closed")

    def renew(self, reason: str) -> None:
        """Give this connection up and make another one, however long the scheduler is away within reason.

        Args:
            reason: what the user is told about the break.

        Raises:
            NormlawError: it stays away.

        """
        minutes = SECONDS_TO_RECONNECT / 60
        self._tell(
            f"the connection to {self._site.name} is lost ({reason}); trying again for {minutes:.0f} minutes"
        )
        self.close()
        deadline = monotonic() + SECONDS_TO_RECONNECT
        while True:
            try:
                self.client = self._site.connect(SECONDS_TO_CONNECT)
                self._listen()
                break
            except OSError:
                if monotonic() > deadline:
                    raise NormlawError(
                        f"the scheduler at {self._site.name} stays away; what is finished is kept: give the "
                        "same command once more"
                    ) from None
                sleep(1.0)
        self._tell(f"connected to {self._site.name} again")

    def close(self) -> None:
        """Give the connection up; the scheduler forgets this launch's tasks."""
        with suppress(OSError):
            self.client.close(timeout=5)
