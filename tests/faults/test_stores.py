"""A store that cannot be used is told at once, in one message, by every verb; and nothing is left behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from normlaw.tracking import sqlite_file
from normlaw.tracking.client import connect
from normlaw.tracking.experiment import opened
from normlaw_registry import InputError
from normlaw_tests import stores

CURVES = "train_size,log_norm,test_error\n" + "".join(
    f"{size},{step / 4},{0.5 / (step + 1)}\n" for size in (100, 200) for step in range(8)
)
READING = [("analyse", "small"), ("report",), ("report", "small")]
WRITING = [
    ("run", "{study}", "--device", "cpu"),
    ("sync",),
    ("import", "{curves}", "--study", "small"),
    ("theory", "perceptron", "--alpha", "1", "--lambda", "1", "--study", "small"),
]


@pytest.fixture
def told(
    nursery: Any, tmp_path: Path, write_study: Callable[[dict[str, Any]], Path], small: dict[str, Any]
) -> Callable[..., tuple[int, str]]:
    """Return a function that runs a verb in a folder and returns its exit status and what it printed."""
    names = {"study": str(write_study(small)), "curves": str(tmp_path / "curves.csv")}
    (tmp_path / "curves.csv").write_text(CURVES)

    def run(folder: Path, *arguments: str) -> tuple[int, str]:
        out = tmp_path / "out.txt"
        out.unlink(missing_ok=True)
        status = nursery.wait(nursery.launch(folder, *(a.format(**names) for a in arguments), out=out))
        return status, out.read_text()

    return run


@pytest.fixture
def begun(desk: Any) -> Path:
    """Return a folder where a study was begun, so that `sync` has something to send, without a store."""
    desk.journal(desk.specs[0])
    (desk.folder / "home").rename(desk.folder / ".normlaw")
    (desk.folder / "mlflow.db").unlink()
    return Path(desk.folder)


def errors(text: str) -> list[str]:
    """Return the lines from the error on: before it stand words of what is being done."""
    lines = text.splitlines()
    return lines[next(number for number, line in enumerate(lines) if line.startswith("error: ")) :]


@pytest.mark.parametrize("verb", READING, ids=" ".join)
@pytest.mark.slow
def test_reading_makes_no_store(told: Any, tmp_path: Path, verb: tuple[str, ...]) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    status, text = told(folder, *verb)
    assert status == 2, text
    assert f"there is no MLflow store {folder / 'mlflow.db'}" in text
    assert len(errors(text)) == 1
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("verb", WRITING, ids=lambda verb: verb[0])
@pytest.mark.slow
def test_a_folder_that_is_read_only(nursery: Any, told: Any, begun: Path, verb: tuple[str, ...]) -> None:
    if not nursery.keeps_out:
        pytest.skip("root may write anywhere, and setpriv is not there to deny it")
    begun.chmod(0o555)
    try:
        status, text = told(begun, *verb)
    finally:
        begun.chmod(0o755)
    assert status == 2, text
    assert f"cannot write the MLflow store {begun / 'mlflow.db'}: the folder {begun} is read-only" in text
    assert "--tracking-uri or MLFLOW_TRACKING_URI" in text
    assert "Traceback" not in text
    assert len(errors(text)) <= 2
    assert [path.name for path in begun.iterdir()] == [".normlaw"]


@pytest.mark.parametrize("verb", [*READING, *WRITING], ids=" ".join)
@pytest.mark.slow
def test_a_store_that_is_no_database(told: Any, begun: Path, verb: tuple[str, ...]) -> None:
    (begun / "mlflow.db").write_text("no database at all, but not empty either\n" * 100)
    status, text = told(begun, *verb)
    assert status == 2, text
    assert f"{begun / 'mlflow.db'} is no MLflow store: file is not a database" in text
    assert "Traceback" not in text
    assert len(errors(text)) <= 2
    assert (begun / "mlflow.db").read_text().startswith("no database at all")


@pytest.mark.parametrize("verb", [*READING, *WRITING], ids=" ".join)
@pytest.mark.slow
def test_a_database_server_that_is_away(told: Any, begun: Path, verb: tuple[str, ...]) -> None:
    pytest.importorskip("psycopg", reason="the extra `test` brings psycopg")
    uri = "postgresql+psycopg://ada:a-password@127.0.0.1:1/nothing"
    status, text = told(begun, *verb, "--tracking-uri", uri)
    assert status == 2, text
    assert "no MLflow server answers at postgresql+psycopg://ada:***@127.0.0.1:1/nothing" in text
    assert "connection refused" in text
    assert "Traceback" not in text
    assert len(errors(text)) <= 3


@pytest.mark.slow
def test_a_read_only_store_can_be_read(nursery: Any, told: Any, tmp_path: Path, begun: Path) -> None:
    if not nursery.keeps_out:
        pytest.skip("root may write anywhere, and setpriv is not there to deny it")
    assert told(begun, "import", "{curves}", "--study", "small")[0] == 0
    begun.chmod(0o555)
    (begun / "mlflow.db").chmod(0o444)
    try:
        status, text = told(begun, "report")
        assert "no analysis of this server yet" in text  # it got as far as that
        assert status == 2
        assert "the file is read-only" in told(begun, "analyse", "small")[1]
    finally:
        begun.chmod(0o755)


@pytest.mark.slow
def test_an_empty_file_is_a_store_to_be_made(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.touch()
    with pytest.raises(InputError, match="there is no MLflow store"):
        connect(f"sqlite:///{path}", "read")
    assert connect(f"sqlite:///{path}").search_experiments()[0].name == "Default"


@pytest.mark.slow
def test_a_store_is_made_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.store.db import utils

    path = tmp_path / "mlflow.db"
    whole = utils._upgrade_db

    def killed(engine: Any) -> None:
        raise KeyboardInterrupt

    with stores.by_mlflow():
        monkeypatch.setattr(utils, "_upgrade_db", killed)
        with pytest.raises(KeyboardInterrupt):
            sqlite_file.make(path)
        assert not path.exists()
        (tmp_path / ".mlflow.db.part").write_text("what a kill leaves")
        (tmp_path / ".mlflow.db.part-journal").write_text("what a kill leaves")
        monkeypatch.setattr(utils, "_upgrade_db", whole)
        sqlite_file.make(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["mlflow.db"]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT name FROM experiments").fetchall() == [("Default",)]


def test_an_experiment_that_another_process_makes_meanwhile_is_opened(desk: Any) -> None:
    ask, asked = desk.client.get_experiment_by_name, []

    def late(name: str) -> Any:
        asked.append(name)
        found = ask(name)
        if len(asked) == 1:
            desk.client.create_experiment(name)
        return found

    desk.client.get_experiment_by_name = late
    experiment = opened(desk.client, "raced", {})
    assert experiment.experiment_id == ask("raced").experiment_id
    assert len(asked) == 2
    desk.client.delete_experiment(experiment.experiment_id)
    with pytest.raises(InputError, match="restore it"):
        opened(desk.client, "raced", {})
