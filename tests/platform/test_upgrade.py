"""What an earlier version left is gone on with: nothing is trained again, sent twice or lost."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

import normlaw
from normlaw.execution.job import Job, Progress
from normlaw.execution.worker import work
from normlaw.launching.plan import Plan, make_plan
from normlaw.study.expansion import expand
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study, parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw.tracking import keys
from normlaw.tracking.record import read_journal
from normlaw_registry import Catalogue

STORED = Path(__file__).with_name("earlier") / "schema_1"
STOPPED = "efe1ea1df1d4683f"
"""The first schema's hash of the run that was stopped, of 256 examples and seed 1."""
ALONE = {"device": "cpu", "max_parallel": 1}


@dataclass
class Place:
    """A folder as an earlier version left it."""

    folder: Path

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.uri = f"sqlite:///{self.folder}/mlflow.db"
        self.study: Study = parse_study(YamlSource.read(self.folder / "study.yaml"))

    def specs(self, catalogue: Catalogue) -> dict[str, RunSpec]:
        return {spec.spec_hash: spec for spec in expand(self.study, catalogue)}

    def journals(self) -> dict[str, bytes]:
        return {path.stem: path.read_bytes() for path in (self.home / "journal" / "earlier").glob("*.jsonl")}

    def statuses(self) -> list[str]:
        client = MlflowClient(self.uri)
        experiment = client.get_experiment_by_name("earlier")
        runs = client.search_runs(
            [experiment.experiment_id], filter_string=f"tags.`{keys.KIND}` = 'training'", max_results=100
        )
        return sorted(run.info.status for run in runs)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    with closing(sqlite3.connect(path)) as database:
        database.execute("DELETE FROM experiments")
        database.commit()
    return path


@pytest.fixture
def place(tmp_path: Path, empty: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(STORED, tmp_path, dirs_exist_ok=True)
    shutil.copy(empty, tmp_path / "mlflow.db")
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        for line in (tmp_path / "mlflow.jsonl").read_text().splitlines():
            table, row = json.loads(line.replace("{folder}", str(tmp_path)))
            places = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", list(row.values()))
        database.commit()
    return Place(tmp_path)


def planned(place: Place, catalogue: Catalogue) -> Plan:
    return make_plan(place.study, place.specs(catalogue), catalogue, place.home, {})


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_a_study_is_gone_on_with(place: Place) -> None:
    before = place.journals()
    [sent] = normlaw.sync("earlier", home=place.home, tracking_uri=place.uri)
    assert (len(sent.sent), sent.there, sent.unsent) == (4, 4, {})
    assert place.statuses() == ["FINISHED"] * 7 + ["KILLED"]
    assert place.journals() == before
    options: dict[str, Any] = {"home": place.home, "tracking_uri": place.uri, **ALONE}
    done = normlaw.run(place.study, **options)
    assert (done.trained, done.already_there, done.failed, done.unsent) == (1, 7, {}, {})
    after = place.journals()
    assert {name: after[name] for name in before if name != STOPPED} == {
        name: content for name, content in before.items() if name != STOPPED
    }
    assert place.statuses() in (["FINISHED"] * 8, ["FINISHED"] * 8 + ["KILLED"])
    again = normlaw.run(place.study, **options)
    assert (again.trained, again.already_there) == (0, 8)
    [nothing] = normlaw.sync("earlier", home=place.home, tracking_uri=place.uri)
    assert (nothing.sent, nothing.there) == ((), 8)
    frame = normlaw.curves("earlier", tracking_uri=place.uri)
    assert frame.groupby(["train_size", "seed"])["run"].nunique().tolist() == [1] * 8
    quick: dict[str, Any] = {"protocol": "automatic", "draws": 100}
    reports = place.folder / "reports"
    [result] = normlaw.analyse("earlier", tracking_uri=place.uri, reports=reports, **quick)
    assert result.setting == {}
    elsewhere = normlaw.run(place.study, **{**options, "home": place.folder / "another"})
    assert (elsewhere.trained, elsewhere.already_there) == (0, 8)


def go_on(place: Place, catalogue: Catalogue, change: Callable[[Job], Job]) -> tuple[list[Progress], str]:
    """Train the run that was stopped; return its news, and the name of its journal."""
    plan = planned(place, catalogue)
    [spec] = plan.missing
    record = read_journal(place.home / "journal" / "earlier" / f"{STOPPED}.jsonl")
    assert record is not None
    job = Job(
        study="earlier",
        abscissa="weight_norm",
        home=place.home,
        folder=place.home / "data",
        device="cpu",
        environment=record.environment,
        max_parallel=1,
        begun_as=plan.begun_as,
    )
    assert job.name(spec.spec_hash) == STOPPED
    news: list[Progress] = []
    [outcome] = work((spec,), change(job), news.append, lambda: False)
    assert outcome.failure is None
    assert planned(place, catalogue).missing == []
    return news, job.name(spec.spec_hash)


@pytest.mark.slow
def test_a_checkpoint_is_gone_on_from_under_its_name(place: Place, catalogue: Catalogue) -> None:
    before = place.journals()[STOPPED]
    news, name = go_on(place, catalogue, lambda job: job)
    assert news[0].step > 6, "the last checkpoint is of step 6"
    assert name == STOPPED
    assert place.journals()[STOPPED].startswith(before)
    [sent] = normlaw.sync("earlier", home=place.home, tracking_uri=place.uri)
    assert (len(sent.sent), sent.unsent) == (4, {})


def test_what_other_versions_began_is_begun_anew_under_the_present_name(
    place: Place, catalogue: Catalogue
) -> None:
    news, name = go_on(place, catalogue, lambda job: replace(job, environment={"packages": {"torch": "99"}}))
    assert news[0].step == 0
    assert name != STOPPED
    assert STOPPED not in place.journals()
    assert not (place.home / "checkpoints" / "earlier" / STOPPED).exists()


@pytest.mark.slow
def test_runs_that_only_mlflow_has_are_known_and_may_measure_more(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    tree = place.study.model_dump(mode="json", exclude_none=True)
    tree["vary"] = {"train_size": [32, 64], "seed": [0]}
    options: dict[str, Any] = {"home": place.folder / "fresh", "tracking_uri": place.uri, **ALONE}
    assert normlaw.run(Study.model_validate(tree), **options).already_there == 2
    tree["fixed"]["measures"] = ["l1_norm", "weight_norm"]
    done = normlaw.run(Study.model_validate(tree), **options)
    assert (done.trained, done.unsent) == (2, {})
    assert "trained again to take l1_norm" in capfd.readouterr().err
    assert place.statuses() == ["FINISHED"] * 4 + ["KILLED"] * 2
    frame = normlaw.curves("earlier", tracking_uri=place.uri)
    assert frame.groupby("train_size")["run"].nunique().tolist() == [1] * 4
    again = frame[frame["train_size"] <= 64]
    norms = ["log_norm/l1_norm", "log_norm/weight_norm", "log_norm/spectral_complexity"]
    assert again[norms].notna().all(axis=None), "what was measured before is measured again"
