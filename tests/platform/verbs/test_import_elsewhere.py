"""Imports of what others logged, of Parquet and of other stores: laws come out, and nothing is doubled."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from mlflow import MlflowClient
from mlflow.entities import Metric, Param

import normlaw
from normlaw.cli.program import main
from normlaw.tracking import database, keys, whole_writer
from normlaw.tracking.client import connect
from normlaw_tests.logged_elsewhere import STEPS, curves
from normlaw_tests.two_settings import SETTING, two_settings

TAKE = {"train_size": "n_train", "test/error": "1 - acc / 100", "log_norm/weight_norm": "log(norm)"}
FITTED: dict[str, Any] = {"protocol": "released", "window": (None, 0.3)}


def log(client: MlflowClient, experiment: str, size: int, seed: int, error: Any, norm: Any) -> str:
    """Log a run as anyone would."""
    run_id = str(client.create_run(experiment, run_name=f"n{size}").info.run_id)
    add(client, run_id, STEPS, error, norm)
    client.log_batch(run_id, params=[Param("n_train", str(size)), Param("seed", str(seed)), Param("lr", "0.1")])
    client.set_terminated(run_id)
    return run_id


def add(client: MlflowClient, run_id: str, steps: Any, error: Any, norm: Any) -> None:
    metrics = [Metric("acc", 100 * (1 - float(y)), 1, int(step)) for step, y in zip(steps, error, strict=True)]
    metrics += [Metric("norm", float(x), 1, int(step)) for step, x in zip(steps, norm, strict=True)]
    client.log_batch(run_id, metrics=metrics)


@pytest.fixture(scope="module")
def theirs(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with an experiment of somebody's, in which one run is at work still."""
    path = tmp_path_factory.mktemp("theirs") / "theirs.db"
    shutil.copy(empty_database, path)
    client = connect(f"sqlite:///{path}")
    experiment = client.create_experiment("sweep", artifact_location=f"file://{path.parent}/artifacts")
    for size, seed, error, norm in curves():
        log(client, experiment, size, seed, error, norm)
    client.create_run(experiment, run_name="at work")
    return path


@pytest.fixture
def here(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with an empty store."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def expected() -> pd.DataFrame:
    """Return the curves as `normlaw.curves` has them."""
    frames = [
        pd.DataFrame(
            {"train_size": P, "seed": s, "step": STEPS, "test/error": y, "log_norm/weight_norm": np.log(x)}
        )
        for P, s, y, x in curves()
    ]
    return pd.concat(frames, ignore_index=True)


def read(study: str) -> pd.DataFrame:
    order = ["train_size", "seed", "step"]
    return normlaw.curves(study).drop(columns="run").sort_values(order, ignore_index=True)


@pytest.mark.slow
def test_an_experiment_of_mlflow_is_taken_under_normlaws_names(here: Path, theirs: Path) -> None:
    found = normlaw.import_curves(theirs, "s", experiment="sweep", take=TAKE)
    assert found == (8, 0)
    assert found.notes == ("1 runs were left out: they are not finished",)
    assert normlaw.import_curves(f"sqlite:///{theirs}", "s", experiment="sweep", take=TAKE) == (0, 8)
    pd.testing.assert_frame_equal(read("s")[expected().columns], expected(), rtol=1e-12)
    assert set(normlaw.runs("s")["source"]) == {"MLflow sweep"}
    law = normlaw.fit(normlaw.curves("s"), **FITTED)
    assert law.gamma_1.value == pytest.approx(0.5, abs=0.02)
    direct = expected().rename(columns={"log_norm/weight_norm": "log_norm", "test/error": "test_error"})
    assert law.gamma_2.value == pytest.approx(normlaw.fit(direct, **FITTED).gamma_2.value, rel=1e-6)


@pytest.mark.slow
def test_a_run_that_has_gone_on_takes_the_place_of_what_it_was(here: Path, theirs: Path) -> None:
    shutil.copy(theirs, "growing.db")
    client = connect("sqlite:///growing.db")
    normlaw.import_curves("growing.db", "s", experiment="sweep", take=TAKE)
    experiment = client.get_experiment_by_name("sweep")
    run = client.search_runs([experiment.experiment_id], filter_string="params.n_train = '800'")[0]
    add(client, run.info.run_id, [400], [0.5], [9000.0])
    again = normlaw.import_curves("growing.db", "s", experiment="sweep", take=TAKE)
    assert again == (1, 7)
    assert again.notes[0].startswith("1 curves imported before gave way")
    assert len(normlaw.curves("s")) == len(expected()) + 1
    assert normlaw.import_curves("growing.db", "s", experiment="sweep", take=TAKE) == (0, 8)
    other = {**TAKE, "log_norm/weight_norm": "norm"}  # other numbers of the same runs
    assert normlaw.import_curves("growing.db", "s", experiment="sweep", take=other) == (8, 0)
    assert len(normlaw.curves("s")) == len(expected()) + 1


def test_what_is_missing_is_said_and_nothing_is_made(here: Path, theirs: Path) -> None:
    asked = ["import", str(theirs), "--study", "s", "--experiment", "sweep"]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 2
    assert "no parameter train_size, did you mean 'n_train'?" in done.output.replace("\n  ", " ")
    assert "log_norm/MEASURE" in done.output
    done = CliRunner().invoke(main, [*asked[:-1], "sweeep"])
    assert "did you mean sweep?; choose it with --experiment" in done.output.replace("\n  ", " ")
    with pytest.raises(normlaw.InputError, match="no study 's'"):
        normlaw.curves("s")


@pytest.mark.slow
def test_event_files_and_lightnings_logs(here: Path) -> None:
    tensorboard_x = pytest.importorskip("tensorboardX", reason="the extra `tensorboard` brings it")
    for size, seed, error, norm in curves():
        with tensorboard_x.SummaryWriter(f"tb/P{size}_seed{seed}") as writer:
            for step, y, x in zip(STEPS, error, norm, strict=True):
                writer.add_scalar("val/error", y, step)
                writer.add_scalar("norm", x, step)
        folder = Path(f"logs/P{size}_seed{seed}")
        folder.mkdir(parents=True)
        pd.DataFrame({"step": STEPS, "val_error": error, "norm": norm}).to_csv(
            folder / "metrics.csv", index=False
        )
    names = "P{train_size}_seed{seed}"
    Path("take.yaml").write_text(f"names: {names}\ntest/error: val/error\nlog_norm/weight_norm: log(norm)\n")
    asked = ("import", "tb", "--study", "tb", "--take-file", "take.yaml")
    for told in ("tb: 8 curves logged, 0 already there", "tb: 0 curves logged, 8 already there"):
        assert CliRunner().invoke(main, asked).stdout.startswith(told)
    take = {"names": names, "test/error": "val_error", "log_norm/weight_norm": "log(norm)"}
    assert normlaw.import_curves("logs", "logs", take=take) == (8, 0)
    pd.testing.assert_frame_equal(
        read("tb")[expected().columns], expected(), rtol=1e-6
    )  # TensorBoard's float32
    pd.testing.assert_frame_equal(read("logs")[expected().columns], expected(), rtol=1e-14)


def test_a_table_in_parquet_is_what_the_same_table_in_csv_is(here: Path) -> None:
    frame = two_settings(seeds=1)
    frame.to_parquet("curves.parquet", index=False)
    frame.to_csv("curves.csv", index=False)
    assert normlaw.import_curves("curves.parquet", "s") == (8, 0)
    assert normlaw.import_curves("curves.csv", "s") == (0, 8)
    one = frame[frame[SETTING] == "0.0"]
    one.to_parquet("one.parquet", index=False)
    law = normlaw.fit("one.parquet", norm="first", **FITTED)
    assert law.to_dict() == normlaw.fit(one, norm="first", **FITTED).to_dict()


@pytest.mark.slow
def test_a_table_may_call_its_columns_otherwise(here: Path) -> None:
    tables = [
        pd.DataFrame({"n": n, "seed": seed, "acc": 100 * (1 - e), "norm": x}) for n, seed, e, x in curves()
    ]
    table = pd.concat(tables)
    table.to_csv("theirs.csv", index=False)
    Path("take.yaml").write_text("train_size: n\ntest/error: 1 - acc / 100\n")
    asked = ["import", "theirs.csv", "--study", "s", "--take-file", "take.yaml"]
    told = CliRunner().invoke(main, [*asked, "--take", "log_norm/weight_norm=log(norm)"])
    assert "s: 8 curves logged" in told.output
    client = connect("sqlite:///mlflow.db")
    experiment = client.get_experiment_by_name("s").experiment_id
    larger = client.search_runs([experiment], filter_string="metrics.train_size > 100")
    assert sorted(run.data.params["train_size"] for run in larger) == sorted(2 * ["200", "400", "800"])
    order = ["train_size", "seed", "step"]
    expect = expected().assign(step=expected()["step"] // 10)[expected().columns]
    seen = normlaw.curves("s").sort_values(order, ignore_index=True)
    pd.testing.assert_frame_equal(seen[expect.columns], expect, rtol=1e-12)
    table[table["seed"] == 0].iloc[:-1].to_csv("theirs.csv", index=False)  # some rows are gone
    take = TAKE | {"train_size": "n"}
    assert normlaw.import_curves("theirs.csv", "s", take=take) == (1, 3)
    with pytest.raises(normlaw.InputError, match="`step` is taken of tables alone"):
        normlaw.import_curves(".", "s", kind="lightning", take=take | {"step": "n"})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: f.rename(columns={"train_size": "size"}), r"w\.parquet: no column 'train_size'"),
        (lambda f: f.assign(**{"test/error": 1.5}), r"row 1, column 'test/error': must be a fraction"),
        (lambda f: f.assign(step=0), r"row 2, columns .*: the same point as row 1"),
        (lambda f: f.assign(epoch=pd.Timestamp("2026")), r"column 'epoch': holds timestamp"),
        (lambda f: f.assign(run="x" * 2000), r"column 'run': a text of over 1000 bytes"),
    ],
)
def test_a_wrong_table_in_parquet_is_refused_by_row_and_column(tmp_path: Path, change: Any, told: str) -> None:
    path = tmp_path / "w.parquet"
    change(two_settings(seeds=1)).to_parquet(path, index=False)
    with pytest.raises(normlaw.InputError, match=told):
        normlaw.import_curves(path, "s")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(normlaw.InputError, match="is no Parquet file, or is damaged"):
        normlaw.import_curves(path, "s")


@pytest.mark.slow
def test_another_store_is_copied_once_with_its_tags(here: Path, theirs: Path) -> None:
    normlaw.import_curves(theirs, "s", experiment="sweep", take=TAKE)
    normlaw.theory("perceptron", [0.5, 1.0], [0.1, 1.0], study="s", dimension=100)
    shutil.copy(theirs, "there.db")  # any store
    there = f"sqlite:///{here}/there.db"
    assert normlaw.import_curves("mlflow.db", "copy", experiment="s", tracking_uri=there) == (10, 0)
    assert normlaw.import_curves("mlflow.db", "copy", experiment="s", tracking_uri=there) == (0, 10)
    for kind in ("imported", "theory"):
        asked: Any = {"kinds": [kind]}
        one, two = normlaw.curves("s", **asked), normlaw.curves("copy", tracking_uri=there, **asked)
        pd.testing.assert_frame_equal(one, two, check_exact=True)
        different = ["run_id", "start_time"]
        pd.testing.assert_frame_equal(
            normlaw.runs("s", **asked).drop(columns=different),
            normlaw.runs("copy", tracking_uri=there, **asked).drop(columns=different),
            check_like=True,
        )
    client = connect(there)
    experiment = client.get_experiment_by_name("copy")
    assert experiment.tags[keys.NORM] == "weight_norm"
    with pytest.raises(normlaw.InputError, match="is where study 's' is: nothing to import"):
        normlaw.import_curves("mlflow.db", "s")
    with pytest.raises(normlaw.InputError, match="copied as they are"):
        normlaw.import_curves("mlflow.db", "copy", experiment="s", kind="store", take=TAKE, tracking_uri=there)


class Killed(BaseException):
    """What a kill looks like to the code that it hits."""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["taken", "copied"])
def test_an_import_that_was_killed_is_gone_on_with(
    here: Path, theirs: Path, monkeypatch: Any, what: str
) -> None:
    take = TAKE if what == "taken" else None
    if what == "copied":
        normlaw.import_curves(theirs, "sweep", experiment="sweep", take=TAKE)
        shutil.copy("mlflow.db", "there.db")
    source = theirs if what == "taken" else Path("there.db")
    other = f"sqlite:///{here}/other.db"
    shutil.copy(theirs, "other.db")
    monkeypatch.setattr(whole_writer, "TOGETHER", 2)
    original = database.Database._execute
    left = 0

    def deadly(*arguments: Any, **options: Any) -> None:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        original(*arguments, **options)

    monkeypatch.setattr(database.Database, "_execute", deadly)
    kills = 0
    while True:
        left = kills % 4
        try:
            found = normlaw.import_curves(source, "s", experiment="sweep", take=take, tracking_uri=other)
        except Killed:
            kills += 1
            assert kills < 40
        else:
            break
    assert kills >= 4
    assert sum(found) == 8
    runs = normlaw.runs("s", tracking_uri=other)
    assert runs.loc[runs["status"] == "FINISHED", "run"].nunique() == 8
    assert (runs["status"] == "FINISHED").sum() == 8
    assert "RUNNING" not in set(runs["status"])
    order = ["train_size", "seed", "step"]
    curves_found = normlaw.curves("s", tracking_uri=other).sort_values(order, ignore_index=True)
    pd.testing.assert_frame_equal(curves_found[expected().columns], expected(), rtol=1e-12)


@pytest.mark.parametrize(
    ("source", "options", "told"),
    [
        ("nowhere", {}, "no file nowhere"),
        ("nowhere", {"kind": "tensorboard"}, "nowhere is no folder"),
        (".", {}, "holds neither TensorBoard's event files nor metrics.csv"),
        ("nowhere", {"kind": "wandb"}, "no kind of source 'wandb'"),
        ("nowhere", {"experiment": "x"}, "is no MLflow store"),
        ("nowhere.db", {"kind": "mlflow"}, "there is no MLflow store"),
        ("http://127.0.0.1:9", {}, "no MLflow server answers at http://127.0.0.1:9"),
    ],
)
def test_a_source_that_is_none_is_refused(here: Path, source: str, options: Any, told: str) -> None:
    with pytest.raises(normlaw.InputError, match=told):
        normlaw.import_curves(source, "s", **options)
