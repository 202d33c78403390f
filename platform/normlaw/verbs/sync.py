"""Sending as a job: the journals of a home in, MLflow brought up to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from normlaw.study.home import journal_path
from normlaw.study.study import parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw.tracking.client import connect, impatient
from normlaw.tracking.launches import Launches
from normlaw.tracking.leftovers import AtServer, look_for_leftovers
from normlaw.tracking.record import read_journal, validated_spec
from normlaw.tracking.sender import Sender
from normlaw.tracking.writer import RunWriter, open_experiment


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


def synchronise(
    sources: Sequence[YamlSource], home: Path, tracking_uri: str | None = None
) -> Iterator[Synchronised]:
    """Send what the journals of studies hold and MLflow does not.

    Args:
        sources: the studies, as they are kept in the home.
        home: folder of the journals.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Raises:
        InputError: no server answers, or a study's file is none.

    """
    studies = [parse_study(source) for source in sources]
    with impatient():
        client = connect(tracking_uri)
        for study in studies:
            experiment = open_experiment(client, study)
            server = AtServer.of(client, experiment)
            left = look_for_leftovers(home, study.name, server)
            launches = Launches(client, experiment, home)
            writer = RunWriter(client, experiment, study, launches, mixed=server.mixed)
            with Sender(writer, home, study.name, known=server.known) as sender:
                for spec_hash in sorted(left.unsent):
                    sender.ended(spec_hash)
                sender.finish()
            launches.settle()
            names = {spec_hash: _described(home, study.name, spec_hash) for spec_hash in left.unsent}
            yield Synchronised(
                study=study.name,
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
