"""`normlaw sync`: send to MLflow what journals hold and it does not have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from normlaw.base.html import Several, listed, paragraph, together
from normlaw.study import home as kept
from normlaw.study.home import begun_studies, begun_study, journal_path
from normlaw.tracking.client import connect, impatient
from normlaw.tracking.launches import Launches
from normlaw.tracking.leftovers import AtServer, look_for_leftovers
from normlaw.tracking.record import read_journal, validated_spec
from normlaw.tracking.sender import Sender
from normlaw.tracking.writer import RunWriter, open_experiment
from normlaw_registry import InputError


@dataclass(frozen=True)
class Synchronised:
    """What became of one study's journals."""

    study: str
    sent: tuple[str, ...]
    """What was sent, a phrase a run."""
    there: int
    """Runs that MLflow had already."""
    in_training: int
    """Runs left to the processes that train them."""
    unsent: dict[str, str]
    """Run or file -> why it was not sent."""
    unread: str = ""
    """Why the study could not be read, so that nothing of it was sent; empty where it could."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        if self.unread:
            return paragraph(f"not sent: {self.unread}", strong=f"{self.study}:")
        counts = f"{len(self.sent)} sent, {self.there} already there, {self.in_training} in training"
        return together(
            paragraph(counts, strong=f"{self.study}:"),
            listed(self.sent),
            listed(f"not sent: {name}: {reason}" for name, reason in self.unsent.items()),
        )


def sync(
    study: str | None = None, *, home: Path | None = None, tracking_uri: str | None = None
) -> list[Synchronised]:
    """Send to MLflow what journals hold and it does not have, of one study or of all; `normlaw sync`.

    Args:
        study: its name; None: every study that was begun in the home. One of these that cannot be read does not
            keep the others from being sent: see `Synchronised.unread`.
        home: folder of the journals; default NORMLAW_HOME, else .normlaw in the working folder.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Raises:
        InputError: no such study was begun here, or no server answers.

    """
    return Several(synchronised(study, home=home, tracking_uri=tracking_uri))


def synchronised(
    study: str | None = None, *, home: Path | None = None, tracking_uri: str | None = None
) -> Iterator[Synchronised]:
    """Yield what became of each study as soon as it is sent; arguments and errors as `sync` has them."""
    home = home or kept.HOME
    begun = []
    for name in [study] if study is not None else begun_studies(home):
        try:
            begun.append(begun_study(home, name))
        except InputError as error:  # the other studies do not suffer
            if study is not None:
                raise
            yield Synchronised(study=name, sent=(), there=0, in_training=0, unsent={}, unread=str(error))
    if not begun:
        return
    with impatient():
        client = connect(tracking_uri)
        for each in begun:
            experiment = open_experiment(client, each)
            server = AtServer.of(client, experiment)
            left = look_for_leftovers(home, each.name, server)
            launches = Launches(client, experiment, home)
            writer = RunWriter(client, experiment, each, launches, mixed=server.mixed)
            with Sender(writer, home, each.name, known=server.known) as sender:
                for spec_hash in sorted(left.unsent):
                    sender.ended(spec_hash)
                sender.finish()
            launches.settle()
            names = {spec_hash: _described(home, each.name, spec_hash) for spec_hash in left.unsent}
            yield Synchronised(
                study=each.name,
                sent=tuple(sorted(names[spec_hash] for spec_hash in sender.sent)),
                there=len(left.there | sender.there),
                in_training=len(left.in_training),
                unsent=left.damaged | {names[h]: reason for h, reason in sender.unsent.items()},
            )


def _described(home: Path, study: str, spec_hash: str) -> str:
    path = journal_path(home, study, spec_hash)
    record = read_journal(path)
    assert record is not None  # it was read a moment ago
    what = record.status or f"unfinished, {len(record.points)} points"
    return f"{validated_spec(record, path).run_name} ({what})"
