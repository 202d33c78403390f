from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import normlaw
from normlaw.cli import status as command
from normlaw.cli.program import main
from normlaw.study import home as kept
from normlaw_tests.two_settings import work_in


@pytest.fixture
def here(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch, tiny: dict[str, Any]) -> Path:
    """Return a folder in which a study of two runs was trained and one of eight never was."""
    work_in(tmp_path, monkeypatch, empty_database)
    monkeypatch.setattr(kept, "HOME", tmp_path / "home")
    tiny["fixed"]["steps"] = 4
    tiny["fixed"]["measuring_points"] = 3
    tiny["vary"] = {"train_size": [32, 64], "seed": [0]}
    normlaw.run(normlaw.load_study(tiny), home=tmp_path / "home")
    return tmp_path


@pytest.mark.slow
def test_status_tells_of_a_study_here_and_from_mlflow_alone(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = CliRunner().invoke(main, ["status", "tiny"])
    assert done.exit_code == 0, done.output
    assert "tiny: 2 of 2 runs finished\n" in done.output
    assert "worker" in done.output
    listed = CliRunner().invoke(main, ["status"])
    assert listed.stdout.splitlines()[1].split()[:2] == ["tiny", "2/2"]
    (found,) = json.loads(CliRunner().invoke(main, ["status", "tiny", "--json"]).stdout)
    assert found["counts"] == {"finished": 2, "running": 0, "waiting": 0, "stopped": 0, "failed": 0}
    assert {run["step"] for run in found["runs"]} == {4}
    assert all(run["run_id"] and run["journal"] for run in found["runs"])

    page = (Path(__file__).parents[3] / "docs" / "page.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("normlaw status")]
    commands = [line.partition("#")[0].split()[1:] for line in lines]
    assert len(commands) == 5
    for words in commands:
        shown = CliRunner().invoke(main, [word.replace("quickstart", "tiny") for word in words])
        assert shown.exit_code == 0, shown.output

    monkeypatch.setattr(kept, "HOME", here / "another machine's")
    (elsewhere,) = normlaw.status("tiny")
    assert elsewhere.counts["finished"] == 2
    assert elsewhere.complete
    assert "2 finished" in elsewhere._repr_html_()
    assert [progress.study for progress in normlaw.status()] == ["tiny"]
    nowhere = CliRunner().invoke(main, ["status", "tony"])
    assert nowhere.exit_code == 2
    assert "did you mean tiny?" in nowhere.output


def test_bad_input_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "HOME", tmp_path)
    none = CliRunner().invoke(main, ["status", "--offline"])
    assert (none.exit_code, none.output) == (0, "No study was begun here yet, and MLflow has none.\n")
    missing = CliRunner().invoke(main, ["status", "a/../b", "--offline"])
    assert missing.exit_code == 2
    assert "no study 'a/../b' was begun in" in missing.output
    both = CliRunner().invoke(main, ["status", "--json", "--watch"])
    assert both.exit_code == 2


def test_watching_ends_when_nothing_is_trained_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: dict[str, Any]
) -> None:
    monkeypatch.setattr(kept, "HOME", tmp_path)
    monkeypatch.setattr(command, "EVERY", 0.0)
    kept.keep_study(tmp_path, normlaw.load_study(tiny))
    done = CliRunner().invoke(main, ["status", "tiny", "--watch", "--offline"])
    assert done.exit_code == 1  # eight runs are left to do
    assert done.output.startswith("tiny: 0 of 8 runs finished, 8 waiting\n")
    assert "`normlaw resume tiny` goes on with it" in done.output
