"""docs/cause.md: its studies are as it says, and its commands run, of fewer and shorter runs."""

from __future__ import annotations

import json
import math
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import normlaw
from normlaw.cli.program import main
from normlaw.study.expansion import expand
from normlaw_registry import load_catalogue

PAGE = (Path(__file__).parents[1] / "docs" / "cause.md").read_text()


def example(name: str) -> list[str]:
    found = re.search(rf"<!-- example: {name} -->\s*```sh\n(.+?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1].strip().splitlines()


@pytest.mark.parametrize(("name", "layers"), [("cause_digits", 2), ("cause_fashion_mnist", 3)])
def test_temperatures_match_the_norms_that_are_held(name: str, layers: int) -> None:
    study = normlaw.load_study(name)
    specs = expand(study, load_catalogue())
    assert len(specs) == 2 * 3 * 5 * 3 * (1 + len(study.arms))
    assert len(specs[0].architecture.params["hidden"]) + 1 == layers
    assert not specs[0].architecture.params["bias"]
    for arm, change in study.arms.items():
        if arm.endswith("_matched"):
            assert change.hold_norm is not None
            assert change.hold_norm.factor is not None
            assert change.temperature == change.hold_norm.factor**layers
            assert study.arms[arm.removesuffix("_matched")].hold_norm == change.hold_norm
    assert "cause_digits" in PAGE
    assert all(f"`{arm}`" in PAGE for arm in normlaw.load_study("cause_digits").arms if "matched" not in arm)


@pytest.mark.slow
def test_its_commands_run_of_fewer_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    trained, analysed = example("run")
    shorter = ["loss=cross_entropy", "optimizer={name: adam, learning_rate: 4.0e-3}", "train_size=[60, 120]"]
    shorter += ["seed=[0, 1]", "steps=24", "measuring_points=8"]
    words = [word for setting in shorter for word in ("--set", setting)]
    done = CliRunner().invoke(main, [*shlex.split(trained)[1:], *words, "--max-parallel", "1"])
    assert done.exit_code == 0, done.output
    told = CliRunner().invoke(main, [*shlex.split(analysed)[1:], "--json", "found.json"])
    assert told.exit_code == 0, told.output
    assert "verdict: " in told.stdout
    assert "undone" in told.stdout
    found = json.loads((tmp_path / "found.json").read_text())
    assert {row["variable"] for row in found["shares"]} == {
        *("weight_norm", "logit_scale", "steps", "training_loss")
    }
    assert {row["arm"] for row in found["arms"]} == set(normlaw.load_study("cause_digits").arms)
    doses = {row["arm"]: row["dose weight_norm"] for row in found["arms"]}
    assert doses["held_double"] - doses["held_half"] == pytest.approx(1.386, abs=1e-3)
    assert (tmp_path / "reports" / "cause_digits" / "cause" / "report.html").is_file()
    logged = normlaw.runs("cause_digits", kinds=["analysis"])
    assert logged["across/logit_scale"].notna().all()
    said = CliRunner().invoke(main, ["compare", "cause_digits arm=held", "cause_digits arm=warm"])
    assert said.exit_code == 2
    assert "no analysis" in said.output
    refused = CliRunner().invoke(main, ["cause", "cause_digits", "--norm", "l1_norm"])
    assert refused.exit_code == 2
    assert "norm 'l1_norm' was not measured in these runs" in refused.output


@pytest.mark.slow
def test_a_norm_is_undone_to_the_last_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    words = shlex.split(" ".join(example("undone")).replace("\\", ""))[1:]
    shorter = ["train_size=60", "seed=0", "steps=40", "measuring_points=16"]
    words += [word for setting in shorter for word in ("--set", setting)]
    done = CliRunner().invoke(main, [*words, "--max-parallel", "1"])
    assert done.exit_code == 0, done.output
    curves = normlaw.curves("cause_digits")
    arms = {arm: curves[curves["arm"] == arm].sort_values(["loss", "step"]) for arm in ("held", "undone")}
    assert len(arms["held"]) == len(arms["undone"]) > 2 * 8
    for name in ("test/error", "test/loss", "train/loss"):
        assert list(arms["held"][name]) == list(arms["undone"][name])
    late = arms["held"]["step"].to_numpy() == 40
    doubled = (
        arms["undone"]["log_norm/weight_norm"].to_numpy() - arms["held"]["log_norm/weight_norm"].to_numpy()
    )[late]
    assert doubled == pytest.approx(math.log(2), abs=1e-5)
