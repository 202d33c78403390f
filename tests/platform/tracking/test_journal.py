from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest

from normlaw.study.expansion import expand
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking import keys, reader
from normlaw.tracking.journal import Journal
from normlaw.tracking.record import Record, read_journal
from normlaw.tracking.study_run import StudyRun
from normlaw.tracking.writer import RunWriter, curve
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


def test_what_train_sizes_count_and_which_files_were_read_are_noted_and_sent(
    tmp_path: Path, spec: RunSpec
) -> None:
    noted = {"unit": "sequences of 64 tokens", "fingerprint": "9 files, digest abc"}
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.start(spec, {})
        journal.data("digits", "abc", 32, 360, noted)
        journal.point({"step": 0.0, "test/error": 0.5})
        journal.end("finished")
    record = read_journal(tmp_path / "j.jsonl")
    assert record is not None
    assert record.data == {"name": "digits", "digest": "abc", "train_size": 32, "test_size": 360, **noted}
    client, study = Mock(), Mock()
    study.run_name.return_value = "a run"
    writer = RunWriter(client, Mock(), study)
    writer.begin(record, spec)
    tags = client.create_run.call_args.kwargs["tags"]
    assert {key: tags[key] for key in (keys.UNIT, keys.FINGERPRINT)} == {
        "normlaw.unit": "sequences of 64 tokens",
        "normlaw.data": "9 files, digest abc",
    }
    run = Mock()
    run.info.artifact_uri = str(tmp_path / "artifacts")
    run.data.tags = {keys.UNIT: noted["unit"]}  # as a sender left it that was cut off
    writer.end(run, record, spec)
    told = {call.args[1:] for call in client.set_tag.call_args_list}
    assert (keys.FINGERPRINT, noted["fingerprint"]) in told
    assert keys.UNIT not in dict(told)
    (dataset,) = client.log_inputs.call_args.kwargs["datasets"]
    assert json.loads(dataset.dataset.profile) == {"train_size": 32, "test_size": 360, **noted}


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


def test_spectra_stand_before_their_points_and_go_with_them(tmp_path: Path, spec: RunSpec) -> None:
    """A point that a kill took away takes its spectra along when the run goes on; an arm has its trunk's."""
    path, arm = tmp_path / "j.jsonl", tmp_path / "arm.jsonl"
    found = {step: {"values.fc": [2.0 + step, 1.0]} for step in range(3)}
    with Journal(path) as journal:
        journal.start(spec, {})
        for step, values in found.items():
            journal.spectra(step, values)
            if step < 2:
                journal.point({"step": float(step), "test/error": 0.5})
    record = read_journal(path)
    assert record is not None
    assert record.spectra == found
    frame = curve(record, spec)
    assert frame["spectrum/values.fc"].tolist() == [[2.0, 1.0], [3.0, 1.0]]
    with Journal(arm) as journal:
        assert journal.leave(path, spec, 0, spec, {})
    with Journal(path) as journal:
        assert journal.go_on_after(1, spec)
    for left, steps in ((path, [0, 1]), (arm, [0])):
        record = read_journal(left)
        assert record is not None
        assert list(record.spectra) == steps


def test_the_curve_file_gives_its_spectra_back(tmp_path: Path, spec: RunSpec) -> None:
    points = [{"step": float(step), "test/error": 0.5} for step in (0, 8)]
    spectra = {0: {"values.fc": [2.0, 1.0], "other.fc": [9.0]}, 8: {"values.fc": [3.0]}}
    curve(Record(points=points, spectra=spectra), spec).to_parquet(tmp_path / keys.CURVE, index=False)
    run = SimpleNamespace(artifacts=tmp_path.as_uri(), spec_hash="abc")
    found = reader.read_spectra(Mock(), cast("StudyRun", run))
    assert found.to_numpy().tolist() == [
        ["values", "fc", 0, 1, 2.0],
        ["values", "fc", 0, 2, 1.0],
        ["values", "fc", 8, 1, 3.0],
        ["other", "fc", 0, 1, 9.0],
    ]
    table = reader.read_curve(Mock(), cast("StudyRun", run))
    assert table.column_names == ["step", "test/error", "train_size", "seed", "run"]


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


def test_a_point_that_nobody_waits_for_is_on_the_disk_before_the_next_line(
    tmp_path: Path, spec: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    begun, disk = threading.Event(), threading.Event()

    def slow(file: int) -> None:
        begun.set()
        assert disk.wait(60)
        done.append(os.fstat(file).st_size)

    with Journal(tmp_path / "j.jsonl") as journal:
        journal.start(spec, {})
        monkeypatch.setattr(os, "fsync", slow)
        journal.point({"step": 0.0, "test/error": 0.5}, wait=False)  # the disk is not done, and this returns
        assert begun.wait(60)
        size = (tmp_path / "j.jsonl").stat().st_size
        assert done == []
        disk.set()
        journal.settle()
        assert done == [size]
        journal.point({"step": 1.0, "test/error": 0.5}, wait=False)
        journal.end("finished")
        assert len(done) == 3
    assert done == sorted(set(done))
    record = read_journal(tmp_path / "j.jsonl")
    assert record is not None
    assert len(record.points) == 2


def test_a_disk_that_fails_behind_the_scenes_stops_the_run_at_the_next_line(
    tmp_path: Path, spec: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(file: int) -> None:
        raise OSError(5, "Input/output error")

    with Journal(tmp_path / "j.jsonl") as journal:
        journal.start(spec, {})
        monkeypatch.setattr(os, "fsync", broken)
        journal.point({"step": 0.0, "test/error": 0.5}, wait=False)
        with pytest.raises(NormlawError, match="cannot be written: Input/output error"):
            journal.point({"step": 1.0, "test/error": 0.5}, wait=False)
