"""What a launch has to do with MLflow: offline nothing, and MLflow is not loaded; else see online.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Self

from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking.stored import Stored

if TYPE_CHECKING:
    from normlaw.tracking.sender import Backlog


class Offline:
    """A launch that asks no server: its journals keep all, for `normlaw sync`."""

    running: Set[str] = frozenset()
    """Hashes of the runs that MLflow takes for running."""

    def finished(self, specs: Mapping[str, RunSpec]) -> dict[str, list[Stored]]:
        """Return what MLflow has finished of these runs, by their hashes."""
        return {}

    def __enter__(self) -> Self:
        """Return the session itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    def begin(self, launch: str, system_load: bool) -> None:
        """Make the launch's own run."""

    def sending(
        self, on_disk: Set[str], on_backlog: Callable[[Backlog], None], on_refusal: Callable[[str], None]
    ) -> AbstractContextManager[None]:
        """Send in the background while the block lasts: first what journals hold of earlier launches."""
        return nullcontext()

    def in_training(self, spec_hash: str) -> None:
        """Note that a run has measured something."""

    def ended(self, spec_hash: str) -> None:
        """Note that a run's journal is to be sent whole."""

    def finish(self) -> dict[str, str]:
        """Wait until all is sent; return the hashes of the runs that are not, with the reason."""
        return {}


def session_of(
    study: Study, home: Path, tracking_uri: str | None, *, offline: bool, guest: bool = False
) -> Offline:
    """Return what a launch has to do with MLflow, which is loaded where something is; see `Online`."""
    if offline:
        return Offline()
    from normlaw.tracking.online import Online

    return Online(study, home, tracking_uri, guest=guest)
