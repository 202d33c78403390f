"""`normlaw plan` of a study whose finished runs are made up: what it plans, what it writes, what it refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import normlaw
from normlaw.analysis.planning.text import render_outlook
from normlaw.cli.program import main
from normlaw.study.expansion import expand, planned_runs
from normlaw.study.listed import listing
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking.settings import by_setting
from normlaw.tracking.store import StudyStore
from normlaw.tracking.study_run import StudyRun
from normlaw.verbs.plan import seconds_of
from normlaw_registry import (
    AnalysisProtocol,
    Estimate,
    Findings,
    InputError,
    PlannedRuns,
    load_catalogue,
)
from normlaw_tests.models import catalogue_with

SIZES, SEEDS = (30, 60, 120, 240, 480), 2
MINE: dict[str, Any] = {
    "name": "mine",
    "fixed": {
        "architecture": {"name": "mlp", "params": {"hidden": [8]}},
        "dataset": {"name": "digits", "params": {"test_size": 837}},
        "steps": 200,
        "measuring_points": 20,
        "measures": ["weight_norm"],
    },
    "vary": {"train_size": list(SIZES), "seed": {"count": SEEDS}},
}


def a_line(curves: pd.DataFrame, params: Any, context: Any) -> Findings:
    """Return findings whose gamma_pred is as certain as the slope of a line in ln P, one point a run."""
    sizes = curves.groupby("run")["train_size"].first()

    def foresee(planned: Sequence[PlannedRuns], afresh: bool) -> Mapping[str, Estimate]:
        more = [part.train_size for part in planned for _ in range(part.runs)]
        p = np.log([*([] if afresh else sizes), *more])
        stderr = float(1 / np.sqrt(((p - p.mean()) ** 2).sum()))
        return {"gamma_pred": Estimate.normal(0.5, stderr, context.confidence)}

    now = foresee((), False)["gamma_pred"]
    return Findings(gamma_1=now, gamma_2=now, gamma_pred=now, gamma_meas=now, foresee=foresee)


LINE = AnalysisProtocol(name="a_line", summary="a line", source="here", analyse=a_line)


@dataclass
class Stand:
    """A study at MLflow, with a second a step and curves that nobody trained."""

    specs: Sequence[RunSpec]
    name: str = "mine"
    norm: str | None = "weight_norm"
    choices: None = None
    timed: bool = True
    devices: Sequence[str] = ("cpu",)
    runs: list[StudyRun] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number, spec in enumerate(self.specs):
            launch = number % len(self.devices)
            begin = 1_000_000 * number
            self.runs.append(
                StudyRun(
                    run_id=f"id{number}",
                    spec_hash=spec.spec_hash,
                    name=spec.run_name,
                    kind="training",
                    status="FINISHED",
                    start_time=begin,
                    params=listing(spec),
                    metrics={},
                    measures={"weight_norm": {}},
                    exactness={},
                    setting=None,
                    norm="",
                    artifacts="",
                    end_time=begin + 1000 * spec.total_steps if self.timed else None,
                    tags={"normlaw.schema": "2"},
                    launch=f"launch{launch}",
                )
            )

    def finished(self, *kinds: str, norm: str | None = None) -> list[StudyRun]:
        return self.runs

    def groups(self, norm: str | None) -> list[tuple[dict[str, str], list[StudyRun]]]:
        return by_setting(self.runs)

    def launches(self) -> dict[str, dict[str, str]]:
        return {f"launch{k}": {"device": one, "max_parallel": "1"} for k, one in enumerate(self.devices)}

    def curves(self, runs: Sequence[StudyRun]) -> pd.DataFrame:
        step = np.geomspace(1, 200, 21)
        frames = [
            pd.DataFrame(
                {
                    "run": run.spec_hash,
                    "train_size": run.train_size,
                    "seed": int(run.params["seed"]),
                    "step": step,
                    "log_norm/weight_norm": 0.1 * np.log(run.train_size) + 0.5 * np.log1p(step),
                    "test/error": 0.5 / step**0.3,
                }
            )
            for run in runs
        ]
        return pd.concat(frames, ignore_index=True)


@pytest.fixture
def at_mlflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Return what puts a study's runs at MLflow."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("normlaw.verbs.plan.load_catalogue", lambda: catalogue_with(LINE))

    def put(study: Study, **more: Any) -> Stand:
        stand = Stand(expand(study, load_catalogue()), name=study.name, **more)
        monkeypatch.setattr(StudyStore, "open", lambda *_args, **_more: stand)
        return stand

    return put


def test_the_plan_is_a_study_with_the_finished_runs_and_those_of_the_plan(at_mlflow) -> None:
    study = normlaw.load_study(MINE)
    at_mlflow(study)
    found = normlaw.plan(study, budget="2000s", protocol="a_line")
    assert found.study is not None
    before = set(planned_runs(study, load_catalogue()))
    after = {spec.spec_hash: spec for spec in expand(found.study, load_catalogue())}
    assert found.study.name == "mine"
    assert before < set(after)
    (outlook,) = found.outlooks.values()
    new = [after[one] for one in set(after) - before]
    assert sum(spec.total_steps for spec in new) == pytest.approx(3600 * outlook.core_hours)  # a second a step
    assert sum(spec.total_steps for spec in new) == 2000
    sizes = {spec.train_size for spec in new}
    assert sizes == {15, 960}  # the ends of a line; digits has 960 examples
    assert outlook.foretold.stderr < outlook.evenly.stderr < outlook.now.stderr
    assert outlook.actions["per_core_hour"].is_monotonic_decreasing
    told = " ".join(outlook.actions["action"])
    assert all(what in told for what in ("1 more seed", "new P = 15", "2 x longer", "2 x as many points"))
    assert "960" in found._repr_html_()


def test_a_plan_says_what_its_train_sizes_count(at_mlflow) -> None:
    study = normlaw.load_study(MINE)
    for run in at_mlflow(study).runs:
        run.tags["normlaw.unit"] = "sequences of 64 tokens"
    found = normlaw.plan(study, protocol="a_line")
    (outlook,) = found.outlooks.values()
    assert "95%, P in sequences of 64 tokens)" in " ".join(render_outlook(outlook, None).split())
    assert found.to_dict()["settings"][0]["train_size_unit"] == "sequences of 64 tokens"


def test_a_plan_goes_on_from_a_plan(at_mlflow) -> None:
    study = normlaw.load_study(MINE)
    at_mlflow(study)
    first = normlaw.plan(study, budget="1000s", protocol="a_line").study
    assert first is not None
    at_mlflow(first)
    second = normlaw.plan(first, budget="1000s", protocol="a_line").study
    assert second is not None
    both = [set(planned_runs(one, load_catalogue())) for one in (first, second)]
    assert both[0] < both[1]
    assert len(both[1]) == len(both[0]) + 5


def test_each_setting_has_a_share(at_mlflow) -> None:
    tree = {**MINE, "vary": {**MINE["vary"], "optimizer.learning_rate": [0.1, 0.01]}}
    study = normlaw.load_study(tree)
    at_mlflow(study)
    found = normlaw.plan(study, budget="4000s", protocol="a_line")
    assert list(found.outlooks) == ["optimizer.learning_rate=0.1", "optimizer.learning_rate=0.01"]
    assert found.study is not None
    specs = expand(found.study, load_catalogue())
    assert len(specs) == 20 + 20
    assert len({spec.spec_hash for spec in specs} & set(planned_runs(study, load_catalogue()))) == 20


def test_costs_that_are_not_known_are_told(at_mlflow) -> None:
    study = normlaw.load_study(MINE)
    at_mlflow(study, timed=False)
    notes = normlaw.plan(study, protocol="a_line", train_sizes=[960]).notes
    assert any("no run has a time" in note for note in notes)
    at_mlflow(study, devices=("cpu", "cpu", "cuda"))
    notes = normlaw.plan(study, protocol="a_line").notes
    assert any("costs are those of the" in note and "on cpu" in note and "on cuda" in note for note in notes)


def test_the_command_writes_a_study_that_run_takes(at_mlflow, tmp_path: Path) -> None:
    study = normlaw.load_study(MINE)
    at_mlflow(study)
    (tmp_path / "mine.yaml").write_text(study.to_yaml())
    asked = ["plan", "mine.yaml", "--protocol", "a_line", "--budget", "2000s"]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.output
    assert "Train it with: normlaw run mine-plan.yaml" in done.output
    assert "after more seeds of every size alike:" in done.output
    assert all(len(line) <= 80 for line in done.output.splitlines())
    assert len(expand(normlaw.load_study("mine-plan.yaml"), load_catalogue())) == 20
    printed = CliRunner().invoke(main, [*asked, "--json", "-", "--out", "other.yaml"])
    found = json.loads(printed.stdout)
    assert found["plan"] == (tmp_path / "other.yaml").read_text() == (tmp_path / "mine-plan.yaml").read_text()
    assert found["settings"][0]["foretold"]["stderr"] > 0
    quiet = CliRunner().invoke(main, ["plan", "mine.yaml", "--protocol", "a_line", "--out", "x.yaml"])
    assert quiet.exit_code == 2
    assert "give its --budget too" in quiet.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": "10 apples"}, "a budget is core-hours above 0, such as 10h, 90min or 2d, got '10 apples'"),
        ({"budget": -1}, "above 0"),
        ({"budget": "nan"}, "above 0"),
        ({"budget": "1s"}, "pays for no run of this study: the cheapest takes"),
        ({"train_sizes": [0.5]}, "a train size is a whole number"),
        ({"protocol": "released", "protocol_params": {"window": [None, 0.3]}}, "cannot foretell what further"),
    ],
)
def test_what_cannot_be_planned_is_refused(at_mlflow, options, message) -> None:
    study = normlaw.load_study(MINE)
    at_mlflow(study)
    with pytest.raises(InputError, match=message):
        normlaw.plan(study, **{"protocol": "a_line", **options})


def test_studies_that_no_plan_fits_are_refused(at_mlflow) -> None:
    study = normlaw.load_study(MINE)
    at_mlflow(study)
    together = {"train_size, steps": [[30, 100], [60, 200], [120, 300]], "seed": {"count": 2}}
    fixed = {key: value for key, value in MINE["fixed"].items() if key != "steps"}
    with pytest.raises(InputError, match="varies `train_size, steps` together"):
        normlaw.plan(normlaw.load_study({**MINE, "fixed": fixed, "vary": together}), protocol="a_line")
    with pytest.raises(InputError, match="has arms"):
        normlaw.plan(normlaw.load_study({**MINE, "fork": {"step": 10}, "arms": {"held": {"temperature": 2.0}}}))
    other = normlaw.load_study({**MINE, "fixed": {**MINE["fixed"], "batch_size": 7}})
    with pytest.raises(InputError, match="name the file that they were trained from"):
        normlaw.plan(other, protocol="a_line")


@pytest.mark.parametrize(("said", "seconds"), [("10h", 36_000), (0.25, 900), ("1e1 min", 600), ("2d", 172_800)])
def test_budgets(said, seconds) -> None:
    assert seconds_of(said) == seconds
