from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from normlaw.study.expansion import expand
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking.journal import Journal
from normlaw.tracking.record import read_journal
from normlaw_registry import Catalogue, NormlawError


@pytest.fixture
def spec(tiny: dict[str, Any], catalogue: Catalogue) -> RunSpec:
    return expand(Study.model_validate(tiny), catalogue)[0]


def write_whole(path: Path, spec: RunSpec) -> None:
    with Journal(path) as journal:
        journal.start(spec, {"python": "3"})
        journal.data("digits", "abc", 32, 360)
        for step in range(3):
            journal.point({"step": float(step), "test/error": 0.1 + 0.2})
        journal.end("finished")


def test_what_is_written_is_read_back_to_the_last_bit(tmp_path: Path, spec: RunSpec) -> None:
    write_whole(tmp_path / "j.jsonl", spec)
    record = read_journal(tmp_path / "j.jsonl")
    assert record is not None
    assert RunSpec.model_validate(record.spec) == spec
    assert [point["test/error"] for point in record.points] == [0.1 + 0.2] * 3
    assert len(record.point_times) == 3
    assert record.status == "finished"
    assert record.data == {"name": "digits", "digest": "abc", "train_size": 32, "test_size": 360}


def test_a_journal_cut_at_any_byte_keeps_every_complete_line(tmp_path: Path, spec: RunSpec) -> None:
    path = tmp_path / "j.jsonl"
    write_whole(path, spec)
    whole = path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(ends[0] - 2, len(whole)):
        path.write_bytes(whole[:cut])
        record = read_journal(path)
        lines = sum(
            end <= cut + 1 for end in ends
        )  # a line without its line feed is complete JSON all the same
        assert (record is None) == (lines == 0)
        if record is not None:
            assert len(record.points) == min(max(lines - 2, 0), 3)
            assert record.status == ("finished" if lines == len(ends) else None)


def test_no_journal_is_none(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "absent.jsonl") is None


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NormlawError, match="the journal cannot be written: File exists"):
        Journal(tmp_path / "file" / "j.jsonl")


def test_a_full_disk_is_told(spec: RunSpec) -> None:
    with Journal(Path("/dev/full")) as journal, pytest.raises(NormlawError, match="No space left on device"):
        journal.start(spec, {})


def test_a_second_writer_is_refused_and_harms_nothing(tmp_path: Path, spec: RunSpec) -> None:
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.start(spec, {})
        with pytest.raises(NormlawError, match="another process is training this run"):
            Journal(path)
        journal.end("finished")
    record = read_journal(path)
    assert record is not None
    assert record.status == "finished"


def test_a_new_attempt_drops_the_old_one(tmp_path: Path, spec: RunSpec) -> None:
    path = tmp_path / "j.jsonl"
    write_whole(path, spec)
    with Journal(path) as journal:
        journal.start(spec, {"python": "4"})
    record = read_journal(path)
    assert record is not None
    assert record.environment == {"python": "4"}
    assert record.points == []
