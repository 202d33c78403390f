"""Files and folders are there whole or not at all; a lock is seen by others and ends with its holder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from normlaw.base.files import is_held, lock, try_lock, whole_folder, write_whole


def test_a_file_replaces_the_one_before_and_obeys_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    former = os.umask(0o027)
    try:
        write_whole(path, "grüße\n")
        write_whole(path, b"one", memoryview(b"two"), lasting=True)
    finally:
        os.umask(former)
    assert path.read_bytes() == b"onetwo"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(TypeError):
        write_whole(path, "part one", 3)  # type: ignore[arg-type]
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    write_whole(pipe, "through")
    assert reader.communicate()[0] == b"through"
    assert pipe.is_fifo()


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    for text in ("one", "two"):
        with whole_folder(folder) as draft:
            (draft / f"{text}.txt").write_text(text)
        assert [path.name for path in folder.iterdir()] == [f"{text}.txt"]

    def half() -> None:
        with whole_folder(folder) as draft:
            (draft / "three.txt").write_text("three")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert [path.name for path in folder.iterdir()] == ["two.txt"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_lock_is_seen_by_others_and_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.touch()
    assert is_held(path) is False
    assert is_held(tmp_path / "none") is None
    code = (
        "import sys\nfrom pathlib import Path\nfrom normlaw.base.files import lock\n"
        "file = Path(sys.argv[1]).open('ab')\nlock(file)\nprint('locked', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        assert is_held(path) is True
        with path.open("ab") as file:
            assert not try_lock(file)
            holder.kill()
            lock(file)  # waits for the end of the other
            assert is_held(path) is True
    assert is_held(path) is False
