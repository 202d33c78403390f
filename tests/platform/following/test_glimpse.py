from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from normlaw.following.journals import JournalFolder
from normlaw.tracking.glimpse import glimpse
from normlaw.tracking.journal import Journal
from normlaw.tracking.record import read_journal

Begin = Callable[..., Journal]


def test_the_ends_of_a_journal_say_what_the_whole_says_wherever_it_is_cut(begin: Begin, tmp_path: Path) -> None:
    with begin(0, 0, 1) as journal:
        journal.layers([{"step": 0, "measure": "weight_norm", "layer": "1"}])
        journal.worker("there 2")
        journal.point({"step": 7.0, "test/error": 0.25})
        journal.end("failed", "the sky fell", "Traceback: line 7")
    content = journal.path.read_bytes()
    path = tmp_path / journal.path.name
    for length in range(0, len(content) + 1, 13):
        if content[length : length + 1] == b"\n":  # a line that lacks its end alone
            continue
        path.write_bytes(content[:length])
        whole, seen = read_journal(path), glimpse(path)
        assert (whole is None) == (seen is None)
        if whole is not None and seen is not None:
            assert seen.points == len(whole.points)
            assert seen.record.points == whole.points[-1:]
            assert seen.record.point_times == whole.point_times[-1:]
            for name in ("spec", "environment", "started", "ended", "status", "reason", "traceback", "worker"):
                assert getattr(seen.record, name) == getattr(whole, name), name


def test_what_is_no_journal_is_told_and_hides_no_other(begin: Begin, home: Path) -> None:
    with begin(0, 0, 1) as journal:
        journal.end("finished")
    folder = JournalFolder(home, "small")
    (folder.path / "0123456789abcdef.jsonl").write_text("not a journal\n")
    (folder.path / "fedcba9876543210.jsonl").mkdir()
    found = folder.look(folder.stamps())
    assert "not a journal's line" in found["0123456789abcdef"].glimpse.damage
    assert "cannot be read: Is a directory" in found["fedcba9876543210"].glimpse.damage
    assert found[journal.path.stem].glimpse.record.status == "finished"


def test_what_has_not_changed_is_not_read_again(
    begin: Begin, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = JournalFolder(home, "small")
    read: list[str] = []

    def counted(path: Path) -> object:
        read.append(path.stem)
        return glimpse(path)

    monkeypatch.setattr("normlaw.following.journals.glimpse", counted)
    with begin(0, 0), begin(1, 0) as second:
        assert [seen.held for seen in folder.look(folder.stamps()).values()] == [True, True]
        second.point({"step": 5.0})
        assert folder.look(folder.stamps())[second.path.stem].glimpse.record.points[-1] == {"step": 5.0}
    assert [seen.held for seen in folder.look(folder.stamps()).values()] == [False, False]
    assert sorted(read) == sorted([*[path.stem for path in folder.path.glob("*.jsonl")], second.path.stem])
