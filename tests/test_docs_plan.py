"""What docs/plan.md shows is run: a plan of a study that was trained, and the study that it writes."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from normlaw.cli.program import main
from normlaw.study.expansion import expand, planned_runs
from normlaw.study.named import find_study
from normlaw.study.study import parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import load_catalogue
from normlaw_tests.quick import QUICK

PAGE = (Path(__file__).parents[1] / "docs" / "plan.md").read_text()
COMMANDS = [line.partition("#")[0].strip() for line in re.findall(r"^normlaw .+$", PAGE, re.MULTILINE)]


def test_the_file_that_it_shows_is_a_part_of_a_study() -> None:
    found = re.search(r"<!-- example: plan -->\s*```yaml\n(.+?)```", PAGE, re.DOTALL)
    assert found
    whole = find_study("quickstart")
    tree = whole.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    tree["fixed"] = {key: value for key, value in tree["fixed"].items() if key not in ("train_size", "seed")}
    tree["vary"] = YamlSource(found[1], "docs/plan.md").data["vary"]
    specs = expand(parse_study(YamlSource.of(tree, "quickstart")), load_catalogue())
    assert [(spec.train_size, spec.seed) for spec in specs] == [(15, 0), (15, 1), (30, 0), (30, 1)]
    finished = {spec.spec_hash for spec in specs if spec.train_size == 30}
    assert finished <= set(planned_runs(whole, load_catalogue()))


@pytest.mark.slow
@pytest.mark.usefixtures("one_figure")
def test_its_commands_plan_train_and_analyse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("normlaw.study.home.HOME", tmp_path / "home")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")

    def run(command: str, *more: str) -> str:
        done = CliRunner().invoke(main, [*shlex.split(command)[1:], *more])
        assert done.exit_code == 0, done.output
        return done.output

    few = ["--set", "train_size=[30, 60, 120, 240, 480]", "--set", "seed={count: 2}", "--set", "steps=150"]
    few += ["--set", "measuring_points=20"]
    run("normlaw run quickstart", *few)
    look, plan, train, analyse = COMMANDS
    said = " ".join(run(look, "--json", "look.json").split())
    assert "what single actions are expected to make of it" in said
    (looked,) = json.loads((tmp_path / "look.json").read_text())["settings"]
    cheapest = min(row["core_hours"] / row["runs"] for row in looked["actions"])  # as fast as this machine is
    run(plan.replace("5min", f"{3 * cheapest:.6f}h"), "--json", "plan.json")
    found = json.loads((tmp_path / "plan.json").read_text())
    (setting,) = found["settings"]
    assert setting["foretold"]["stderr"] < setting["now"]["stderr"]
    new = sum(row["runs"] for row in setting["added"])
    assert f"quickstart: {new} trained, 10 already there, 0 failed" in run(train)
    assert f"{10 + new} runs" in run(analyse, *QUICK)  # what counts is which runs it reads
