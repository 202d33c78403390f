from __future__ import annotations

import copy
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from sqlalchemy import create_engine, text

from normlaw.study.expansion import expand
from normlaw.study.home import journal_path, keep_study
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking.journal import Journal
from normlaw.tracking.launches import Launches
from normlaw.tracking.leftovers import AtServer
from normlaw.tracking.sender import Sender
from normlaw.tracking.writer import RunWriter, open_experiment
from normlaw_registry import load_catalogue

SMALL: dict[str, Any] = {
    "name": "small",
    "norm": "weight_norm",
    "fixed": {
        "architecture": {"name": "cnn", "params": {"channels": [2], "hidden": [4]}},
        "dataset": "digits",
        "batch_size": 16,
        "steps": 40,
        "measuring_points": 8,
        "measures": ["weight_norm"],
    },
    "vary": {"train_size": [32, 64], "seed": [0, 1, 2]},
}

Row = tuple[Any, ...]


@pytest.fixture
def small() -> dict[str, Any]:
    """Return a study of six runs that train in a fraction of a second each; a test may change it."""
    return copy.deepcopy(SMALL)


@dataclass
class Desk:
    """A study, its journals and where they are to be sent."""

    folder: Path
    study: Study
    uri: str

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.specs: list[RunSpec] = expand(self.study, load_catalogue())
        keep_study(self.home, self.study)
        self.client = MlflowClient(self.uri)

    def path(self, spec: RunSpec) -> Path:
        return journal_path(self.home, self.study.name, spec.spec_hash)

    def journal(self, spec: RunSpec, points: int = 5, status: Any = "finished", error: float = 0.5) -> None:
        """Write a journal as training would, with made-up measurements."""
        with Journal(self.path(spec)) as journal:
            journal.start(spec, {"python": "3", "plugins": {"normlaw": "1"}})
            journal.data("digits", "abc", spec.train_size, 360)
            for step in range(points):
                journal.point(self.point(step, error))
            if status is not None:
                journal.end(status, "it diverged" if status == "failed" else "")

    @staticmethod
    def point(step: int, error: float = 0.5) -> dict[str, float]:
        return {"step": float(step), "test/error": error / (step + 1), "log_norm/weight_norm": 0.1 * step}

    def writer(self) -> RunWriter:
        experiment = open_experiment(self.client, self.study)
        return RunWriter(self.client, experiment, self.study, Launches(self.client, experiment, self.home))

    def known(self) -> frozenset[str]:
        return AtServer.of(self.client, open_experiment(self.client, self.study)).known

    def send(self, patience: float = 600, **options: Any) -> Sender:
        """Send every journal, as the end of a launch does."""
        with Sender(self.writer(), self.home, self.study.name, known=self.known(), **options) as sender:
            for path in sorted(self.home.glob("journal/*/*.jsonl")):
                sender.ended(path.stem)
            sender.finish(patience)
        return sender

    def runs(self) -> dict[str, list[Any]]:
        """Return the MLflow runs by the hash of their specification."""
        return AtServer.of(self.client, open_experiment(self.client, self.study)).runs

    def content(self) -> list[Row]:
        """Return what MLflow has of the study, without its own ids and times: nothing lost, nothing doubled."""
        rows: list[Row] = []
        for spec_hash, runs in self.runs().items():
            for run in runs:
                rows.append((spec_hash, run.info.status, run.info.run_name))
                rows += [(spec_hash, "param", key, value) for key, value in run.data.params.items()]
                rows += [
                    (spec_hash, key, metric.step, metric.value)
                    for key in run.data.metrics
                    for metric in self.client.get_metric_history(run.info.run_id, key)
                ]
                rows += [(spec_hash, "input", item.dataset.digest) for item in run.inputs.dataset_inputs]
                rows += [(spec_hash, "file", f.path) for f in self.client.list_artifacts(run.info.run_id)]
        return sorted(rows, key=repr)


@pytest.fixture
def make_desk(
    tmp_path: Path, small: dict[str, Any], empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Desk]:
    """Return a function that makes a desk; without a URI it has an SQLite file of its own."""
    monkeypatch.chdir(tmp_path)

    def make(place: str = "desk", uri: str | None = None, **changes: Any) -> Desk:
        folder = tmp_path / place
        folder.mkdir()
        if uri is None:
            shutil.copy(empty_database, folder / "mlflow.db")
            uri = f"sqlite:///{folder}/mlflow.db"
        return Desk(folder, Study.model_validate(small | changes), uri)

    return make


@pytest.fixture(scope="module")
def lasting_desk(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Desk]:
    """Return a desk with an SQLite file for what the tests of a file only look at."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(empty_database, folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield Desk(folder, Study.model_validate(SMALL), f"sqlite:///{folder}/mlflow.db")


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """Return a desk with an SQLite file."""
    return make_desk()


TABLES = ("runs", "metrics", "latest_metrics", "params", "tags", "inputs", "input_tags", "datasets")


@pytest.fixture
def tables() -> Callable[[str], dict[str, list[Row]]]:
    """Return a function that reads every row of a database in which a run leaves something."""

    def read(uri: str) -> dict[str, list[Row]]:
        engine = create_engine(uri)
        try:
            with engine.connect() as connection:
                found = {table: connection.execute(text(f"SELECT * FROM {table}")) for table in TABLES}
                return {table: sorted(map(tuple, rows), key=repr) for table, rows in found.items()}
        finally:
            engine.dispose()

    return read


@dataclass(frozen=True)
class Plugin:
    """A plugin of a test's own, installed in a folder, and a command line of normlaw that finds it."""

    module: Path
    nursery: Any

    def line(self, text: str) -> int:
        """Return the line of the module in which a text stands."""
        return 1 + [text in line for line in self.module.read_text().splitlines()].index(True)

    def normlaw(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end."""
        done = self.nursery.done(cwd, *arguments, env={"PYTHONPATH": str(self.module.parent)})
        assert isinstance(done, subprocess.CompletedProcess)
        return done


@pytest.fixture
def install_plugin(tmp_path: Path, nursery: Any) -> Callable[[str], Plugin]:
    """Return a function that installs the text of a module as a plugin, 'awkward 1.0'."""

    def install(code: str) -> Plugin:
        site = tmp_path / "site"
        about = site / "awkward-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: awkward\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text("[normlaw]\nawkward = awkward_plugin\n")
        module = site / "awkward_plugin.py"
        module.write_text(code)
        return Plugin(module, nursery)

    return install
