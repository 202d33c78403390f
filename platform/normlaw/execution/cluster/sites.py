"""Where workers come from. `DaskSite`: they are there already, at a scheduler that others started."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path
from typing import Any, Protocol

from distributed import Client

from normlaw.execution.cluster.configuration import DaskConfiguration
from normlaw_registry import InputError


class Site(Protocol):
    """What the executor needs to know of the place where the workers are."""

    name: str
    """For messages: what is connected to."""
    needs: dict[str, float]
    """What a task takes of a worker, in Dask's resources."""
    worker_seconds: float | None
    """How long the first worker may take; None: as long as it likes, since jobs wait in queues."""

    def connect(self, seconds: float) -> Client:
        """Return a connection to the scheduler.

        Raises:
            OSError: it does not answer in time.

        """

    def provide_workers(self, client: Client, unfinished: int) -> None:
        """See to it that there are workers for this many tasks, as far as the site can.

        Raises:
            NormlawError: there will be none.

        """

    def close(self) -> None:
        """Give back what the site has taken."""


class DaskSite:
    """A scheduler with workers that others start and stop.

    Args:
        scheduler: its address, as in tcp://host:8786, or the path of its --scheduler-file.
        configuration: what a task needs.

    Raises:
        InputError: that is no address.

    """

    def __init__(self, scheduler: str, configuration: DaskConfiguration) -> None:
        self._file = Path(scheduler) if scheduler.endswith(".json") else None
        if self._file is None and "://" not in scheduler:
            raise InputError(
                f"--scheduler {scheduler}: write its address as tcp://HOST:8786, or the path of the file that "
                "`dask scheduler --scheduler-file FILE.json` writes"
            )
        self.name = scheduler
        self.needs = configuration.needs
        self.worker_seconds: float | None = configuration.worker_seconds

    def connect(self, seconds: float) -> Client:
        """Return a connection; a scheduler file is read anew each time."""
        return quiet_client(self._address(), seconds)

    def _address(self) -> str:
        if self._file is None:
            return self.name
        try:
            return str(json.loads(self._file.read_text())["address"])
        except (ValueError, KeyError, TypeError):
            raise InputError(f"--scheduler {self._file}: this is no scheduler file of Dask's") from None

    def provide_workers(self, client: Client, unfinished: int) -> None:
        """Leave the workers to whoever started them."""

    def close(self) -> None:
        """Leave the workers as they are."""


class _Connecting(Client):  # type: ignore[misc]  # distributed has no types
    """A client that is closed at once where nobody answers.

    Left to Python's garbage collection it would be closed whenever that comes: it may come while another client
    starts, and the two then wait for one lock of distributed's, which starting and closing take, for ever.
    """

    def __init__(self, where: Any, seconds: float) -> None:
        try:
            super().__init__(where, timeout=seconds, set_as_default=False, name="normlaw")
        except BaseException:
            self.close()
            raise


def quiet_client(where: Any, seconds: float) -> Client:
    """Connect to an address or to a cluster, without what Dask itself would print.

    Raises:
        OSError: nobody answers in time.
        InputError: no such address can be.

    """
    for name in logging.root.manager.loggerDict:
        if name.partition(".")[0] in ("distributed", "tornado"):  # what matters, normlaw tells in its own words
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # VersionMismatchWarning: versions are compared by `fitness`
        try:
            return _Connecting(where, seconds)
        except ValueError as error:  # a port that is no number, an unknown protocol
            raise InputError(f"--scheduler {where}: {error}") from None
