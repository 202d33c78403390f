"""One more measure of a study that is finished: its runs are trained again once, and stand once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

import normlaw
from normlaw.execution.attempt import Attempt
from normlaw.execution.job import Job
from normlaw.execution.worker import work
from normlaw.launching.plan import make_plan
from normlaw.study.expansion import expand
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking import earlier, keys
from normlaw.tracking.record import is_done
from normlaw.training import loop
from normlaw_registry import Catalogue, NormlawError


def study_of(*measures: str) -> Study:
    return Study.model_validate(
        {
            "name": "more",
            "norm": measures[0],
            "fixed": {
                "architecture": {"name": "mlp", "params": {"hidden": [4]}},
                "dataset": "digits",
                "optimizer": {"learning_rate": 0.01},
                "batch_size": 16,
                "steps": 60,
                "measuring_points": 10,
                "measures": list(measures),
            },
            "vary": {"train_size": [32, 64, 128, 256], "seed": [0, 1]},
        }
    )


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_a_measure_added_to_a_finished_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    options: dict[str, Any] = {"home": tmp_path / "home", "tracking_uri": uri, "device": "cpu"}
    assert normlaw.run(study_of("weight_norm"), **options).trained == 8
    before = normlaw.curves("more", tracking_uri=uri)
    capfd.readouterr()

    done = normlaw.run(study_of("l1_norm"), **options)
    assert (done.trained, done.already_there, done.failed, done.unsent) == (8, 0, {}, {})
    told = capfd.readouterr().err
    reason, first_end = told.index("trained again to take l1_norm"), told.index("1/8")
    assert reason < first_end, "said before anything is trained"
    assert "mlp digits P=32 seed=0, " in told
    assert "and 3 more runs are finished" in told
    assert "is not kept" in told

    frame = normlaw.curves("more", tracking_uri=uri)
    assert len(frame) == len(before)
    assert "measures" not in frame.columns
    assert frame[["log_norm/l1_norm", "log_norm/weight_norm"]].notna().all(axis=None)
    same = ["run", "train_size", "seed", "step", "test/error", "log_norm/weight_norm"]
    order = ["train_size", "seed", "step"]
    assert (
        frame[same]
        .sort_values(order, ignore_index=True)
        .equals(before[same].sort_values(order, ignore_index=True))
    )
    client = MlflowClient(uri)
    runs = client.search_runs(
        [client.get_experiment_by_name("more").experiment_id], f"tags.`{keys.KIND}` = 'training'"
    )
    assert sorted(run.info.status for run in runs) == ["FINISHED"] * 8 + ["KILLED"] * 8
    assert all((keys.SUPERSEDED in run.data.tags) == (run.info.status == "KILLED") for run in runs)

    for norm in ("l1_norm", "weight_norm"):
        quick: dict[str, Any] = {"protocol": "automatic", "draws": 100, "reports": tmp_path / "reports"}
        [result] = normlaw.analyse("more", norm=norm, tracking_uri=uri, **quick)
        assert (result.setting, result.norm) == ({}, norm)
    for measures in (["l1_norm"], ["weight_norm", "l1_norm"], ["weight_norm"]):
        again = normlaw.run(study_of(*measures), **options)
        assert (again.trained, again.already_there) == (0, 8)
    assert "trained again" not in capfd.readouterr().err


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(
        study="more",
        abscissa="weight_norm",
        home=tmp_path,
        folder=tmp_path / "data",
        device="cpu",
        environment={},
        max_parallel=1,
        checkpoint_seconds=0.0,
    )


def spec_of(catalogue: Catalogue, *measures: str) -> RunSpec:
    return expand(study_of(*measures), catalogue)[0]


def never() -> bool:
    return False


def test_a_curve_stays_until_the_new_one_is_whole(
    job: Job, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, both = spec_of(catalogue, "weight_norm"), spec_of(catalogue, "weight_norm", "l1_norm")
    work((one,), job, lambda news: None, never)
    path = job.journal(one.spec_hash)
    whole = path.read_bytes()
    assert is_done(path, one)
    assert not is_done(path, both)

    def failing(*_: Any, **__: Any) -> None:
        raise NormlawError("the new measure cannot be taken")

    with monkeypatch.context() as broken:
        broken.setattr(loop, "train", failing)
        [outcome] = work((both,), job, lambda news: None, never)
    assert outcome.failure == "the new measure cannot be taken"
    assert path.read_bytes() == whole

    told: list[int] = []
    [outcome] = work((both,), job, lambda news: told.append(news.step), lambda: len(told) > 3)
    assert outcome.stopped
    assert earlier.path_beside(path).read_bytes() == whole
    study = study_of("weight_norm")
    plan = make_plan(
        study, {one.spec_hash: one}, catalogue, job.home, {}
    )  # the measure is not wanted after all
    assert plan.missing == []
    assert path.read_bytes() == whole
    assert not earlier.path_beside(path).exists()

    [outcome] = work((both,), job, lambda news: None, never)
    assert outcome.failure is None
    assert is_done(path, both)
    assert not earlier.path_beside(path).exists()


def test_an_interrupted_run_goes_on_or_begins_anew_and_says_so(job: Job, catalogue: Catalogue) -> None:
    both = spec_of(catalogue, "weight_norm", "l1_norm")
    told: list[int] = []
    work((both,), job, lambda news: told.append(news.step), lambda: len(told) > 3)
    fewer = spec_of(catalogue, "l1_norm")
    plan = make_plan(study_of("l1_norm"), {fewer.spec_hash: fewer}, catalogue, job.home, {})
    assert plan.missing == [both], "it goes on with what it began to measure"
    assert list(plan.reasons()) == []
    with Attempt(both, job, lambda news: None, never) as attempt:
        assert attempt.begin() is not None
    more = spec_of(catalogue, "frobenius_norm")
    plan = make_plan(study_of("frobenius_norm"), {more.spec_hash: more}, catalogue, job.home, {})
    [missing] = plan.missing
    assert {measure.name for measure in missing.measures} == {"frobenius_norm", "weight_norm", "l1_norm"}
    [reason] = plan.reasons()
    assert reason.startswith("mlp digits P=32 seed=0 is interrupted, and begun anew to take frobenius_norm: ")
