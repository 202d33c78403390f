"""What a measure says of its value's exactness is noted with the value, at each point."""

from dataclasses import replace
from pathlib import Path

import pytest

from normlaw.tracking.journal import Journal
from normlaw.tracking.record import read_journal
from normlaw.training.loop import train
from normlaw.training.observer import Observer
from normlaw_registry import Catalogue, MeasuredValue, Params


class IntoJournal(Observer):
    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    def point(self, point, inexact) -> None:
        self.journal.point(point, inexact)


@pytest.fixture
def loosening(catalogue) -> Catalogue:
    """Return the catalogue with a norm that is exact at first, then bounded, then estimated."""
    kinds = iter(["exact", "upper_bound", "estimate", "upper_bound", *["exact"] * 99])

    def measure(params: Params, context) -> MeasuredValue:
        return MeasuredValue(log_value=1.0, exactness=next(kinds))  # type: ignore[arg-type]

    def changed(component):
        return replace(component, measure=measure) if component.name == "weight_norm" else component

    return Catalogue.of(
        replace(record, components=tuple(map(changed, record.components))) for record in catalogue.records
    )


def test_the_journal_has_it_beside_each_value(tmp_path, loosening, spec) -> None:
    run = spec(measures=["weight_norm", "l1_norm"], measuring_points=6)
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.start(run, {})
        points = train(run, loosening, observer=IntoJournal(journal))
    record = read_journal(path)
    assert record is not None
    steps = [int(point["step"]) for point in points]
    assert record.inexact == {"weight_norm": {"upper_bound": [steps[1], steps[3]], "estimate": [steps[2]]}}
    assert (record.weakest("weight_norm"), record.weakest("l1_norm")) == ("estimate", "exact")


def test_a_journal_that_did_not_note_it_says_nothing(tmp_path, spec) -> None:
    run = spec()
    path = Path(tmp_path, "journal.jsonl")
    with Journal(path) as journal:
        journal.start(run, {})
        journal.point({"step": 0.0})
        journal.point({"step": 1.0}, {"weight_norm": "estimate"})
    path.write_text(path.read_text().replace(', "inexact": {}', "", 1))  # begun by an earlier version
    record = read_journal(path)
    assert record is not None
    assert (record.inexact, record.weakest("weight_norm")) == (None, None)
