"""What a launch has to do with MLflow: what is there already, and sending what comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mlflow.exceptions import MlflowException

from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking.client import connect, impatient
from normlaw.tracking.finished import finished_at_server
from normlaw.tracking.launches import Launches
from normlaw.tracking.leftovers import AtServer, look_for_leftovers
from normlaw.tracking.sender import Backlog, Sender
from normlaw.tracking.session import Offline
from normlaw.tracking.stored import Stored
from normlaw.tracking.system_metrics import system_metrics
from normlaw.tracking.writer import RunWriter, open_experiment
from normlaw_registry import InputError


class Online(Offline):
    """A launch that sends its runs to a study's experiment meanwhile. Leave it as a context manager.

    Args:
        study: the study.
        home: folder of the journals.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.
        guest: whether the process is someone else's, whose own requests to MLflow are to stay as patient as
            they were.

    Raises:
        InputError: the server does not answer.

    """

    def __init__(self, study: Study, home: Path, tracking_uri: str | None, *, guest: bool = False) -> None:
        self._study, self._home = study, home
        self._sender: Sender | None = None
        with ExitStack() as opened, ExitStack() as meanwhile:
            (meanwhile if guest else opened).enter_context(impatient())
            try:
                self._client = connect(tracking_uri)
            except InputError as error:
                raise InputError(
                    f"{error}\nTo train all the same, give --offline; `normlaw sync` sends the runs later."
                ) from None
            experiment = open_experiment(self._client, study)
            self._launches = Launches(self._client, experiment, home)
            self._launches.settle()
            opened.callback(self._settle)
            self._there = AtServer.of(self._client, experiment)
            self._writer = RunWriter(self._client, experiment, study, self._launches, mixed=self._there.mixed)
            self._opened = opened.pop_all()
        self.running = self._there.running

    def finished(self, specs: Mapping[str, RunSpec]) -> dict[str, list[Stored]]:
        """Return what MLflow has finished of these runs, by their hashes.

        Raises:
            InputError: some were sent by a newer version, which may have trained them already.

        """
        return finished_at_server(self._client, self._there, specs)

    def __exit__(self, *error: object) -> None:
        """End sending, and tell how the launch ended."""
        self._opened.__exit__(*error)  # type: ignore[arg-type]

    def begin(self, launch: str, system_load: bool) -> None:
        """Make the launch's own run, and log the machine's load to it if asked to."""
        with suppress(MlflowException):  # else the first run that is sent makes it
            run_id = self._launches.run_of(launch, new=True)
            if system_load and run_id is not None:
                self._opened.enter_context(system_metrics(self._client, run_id))

    @contextmanager
    def sending(
        self, on_disk: Set[str], on_backlog: Callable[[Backlog], None], on_refusal: Callable[[str], None]
    ) -> Iterator[None]:
        """Send in the background while the block lasts: first what journals hold of earlier launches.

        Args:
            on_disk: hashes of the runs of this launch's study that are finished in its journals.
            on_backlog: is told when what waits to be sent changes.
            on_refusal: is told what the server refuses for good.

        """
        study = self._study.name
        with Sender(
            self._writer,
            self._home,
            study,
            known=self._there.known,
            on_backlog=on_backlog,
            on_refusal=on_refusal,
        ) as self._sender:
            for spec_hash in look_for_leftovers(self._home, study, self._there, on_disk).unsent:
                self._sender.ended(spec_hash)
            yield

    def in_training(self, spec_hash: str) -> None:
        """Note that a run has measured something."""
        self._begun.in_training(spec_hash)

    def ended(self, spec_hash: str) -> None:
        """Note that a run's journal is to be sent whole."""
        self._begun.ended(spec_hash)

    def finish(self) -> dict[str, str]:
        """Wait until all is sent or the server takes nothing; return what is not there, and why."""
        self._begun.finish()
        return self._begun.unsent

    @property
    def _begun(self) -> Sender:
        assert self._sender is not None, "nothing is trained before sending has begun"
        return self._sender

    def _settle(self) -> None:
        """Tell MLflow how launches ended, unless it is away: then the next one tells it."""
        if self._sender is None or not self._sender.away:
            self._launches.settle()
