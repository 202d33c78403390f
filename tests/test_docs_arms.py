"""What docs/arms.md shows is so: its study, its refusal, and where the arms are found."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import mlflow
import pytest
from click.testing import CliRunner

import normlaw
from normlaw.cli.program import main
from normlaw.study.expansion import expand
from normlaw.study.intervention import Intervention
from normlaw.study.study import parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import load_catalogue

PAGE = (Path(__file__).parents[1] / "docs" / "arms.md").read_text()


def example(name: str) -> str:
    found = re.search(rf"<!-- example: {name} -->\s*```\w+\n(.+?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return tmp_path


def test_each_change_is_listed_and_each_combination_has_a_trunk_and_its_arms() -> None:
    study = parse_study(YamlSource(example("arms"), "docs/arms.md"))
    specs = expand(study, load_catalogue())
    assert len(specs) == 3 * 2 * (1 + 4)
    assert {spec.arm for spec in specs} == {"free", "held", "half", "warm", "slow"}
    listed = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?) \|", PAGE, re.MULTILINE))))
    assert listed == set(Intervention.model_fields)


@pytest.mark.slow
def test_the_refusal_names_the_measure(here: Path) -> None:
    refused = CliRunner().invoke(main, shlex.split(example("refused").replace("\\\n", ""))[1:])
    assert refused.exit_code == 2
    assert "measure 'normalised_margin' cannot be held by scaling the weights" in refused.output


@pytest.mark.slow
def test_trunks_are_trained_once_and_arms_are_found_by_their_tags(here: Path) -> None:
    (here / "my-arms.yaml").write_text(example("arms"))
    overrides = {"train_size": [60], "seed": [0, 1], "steps": 60}
    study = normlaw.load_study(here / "my-arms.yaml", overrides=overrides)
    summary = normlaw.run(study, stack=2)
    assert (summary.trained, summary.failed) == (10, {})
    assert not list((here / ".normlaw" / "forks").rglob("*.ckpt"))
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("my-arms")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.`normlaw.kind` = 'training'")
    trunks = {r.data.tags["normlaw.spec_hash"] for r in runs if "arm" not in r.data.params}
    assert len(trunks) == 2
    for trunk in trunks:
        arms = client.search_runs([experiment.experiment_id], f"tags.`normlaw.trunk` = '{trunk}'")
        assert sorted(arm.data.tags["normlaw.arm"] for arm in arms) == ["half", "held", "slow", "warm"]
        assert all(arm.data.params["arm"] == arm.data.tags["normlaw.arm"] for arm in arms)
    for path in (here / ".normlaw" / "journal" / "my-arms").glob("*.jsonl"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        times = [line["time"] for line in lines if line["kind"] == "point"]
        arm = lines[0]["spec"].get("arm", "free")
        # what an arm shares with its trunk was measured before the arm began
        assert (times[0] < lines[0]["time"]) == (arm != "free")
