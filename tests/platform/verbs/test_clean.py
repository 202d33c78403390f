"""`normlaw clean`, on an MLflow store: it lists, asks, and deletes so that runs can be restored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from mlflow import MlflowClient
from mlflow.entities import ViewType

import normlaw
from normlaw.cli import clean as command
from normlaw.cli.program import main
from normlaw_tests.two_settings import import_frame, of_the_first, two_settings, work_in

pytestmark = pytest.mark.slow
OPTIONS: dict[str, Any] = {"norm": "first", "protocol": "released", "window": (None, 0.3)}


@pytest.fixture
def here(tmp_path, empty_database, monkeypatch) -> Path:
    """Return a folder whose store has a study with an analysis that was made again after more was imported."""
    work_in(tmp_path, monkeypatch, empty_database)
    one = of_the_first(two_settings(seeds=2))
    for seed in (0, 1):
        import_frame(one[one["seed"] == seed], "mine", f"seed{seed}.csv")
        normlaw.analyse("mine", **OPTIONS)
    restore(normlaw.runs("mine", kinds=["analysis"])["run_id"][0])
    return tmp_path


def restore(latest: str) -> None:
    """Restore the analysis that the latest one took the place of: a version before left it."""
    client = MlflowClient()
    experiment = client.get_run(latest).info.experiment_id
    for run in client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY):
        client.restore_run(run.info.run_id)


def run(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(main, ["clean", *arguments], input=answer)


def analyses() -> list[str]:
    return list(normlaw.runs("mine", kinds=["analysis"])["run_id"])


def test_it_asks_deletes_and_can_be_undone(here, monkeypatch) -> None:
    first, second = analyses()
    before = normlaw.results("mine")
    listed = run("mine", "--dry-run")
    name = "laws of mine (--protocol released --window none 0.3)"
    assert f"mine: {name} ({first}): made again on " in listed.stdout
    assert "1 run superseded" in listed.stdout
    refused = run("mine")
    assert refused.exit_code == 2
    assert "1 run would be deleted, and nobody is there to ask: add --yes or --dry-run" in refused.stderr
    monkeypatch.setattr(command, "asks", lambda: True)
    assert run("mine", answer="n\n").exit_code == 1
    assert analyses() == [first, second]
    done = run("mine", answer="y\n")
    assert done.exit_code == 0, done.output
    assert "mlflow gc" in done.stdout
    assert analyses() == [second]
    assert normlaw.results("mine").equals(before)
    assert run("mine", "--yes").stdout == "nothing is superseded\n"
    MlflowClient().restore_run(first)
    assert sorted(analyses()) == sorted([first, second])
    table = normlaw.clean("mine")
    assert table[["run_id", "superseded_by", "deleted"]].to_numpy().tolist() == [[first, second, True]]
    assert len(normlaw.runs("mine")) == 8  # no curve was replaced


def test_what_is_not_there_is_told(here) -> None:
    failed = run("mien")
    assert failed.exit_code == 2
    assert "did you mean mine" in failed.stderr
    assert normlaw.clean(dry_run=True)["deleted"].tolist() == [False]
