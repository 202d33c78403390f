"""Folders of logs, written by the libraries whose logs they are."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from normlaw.elsewhere.event_file import PART
from normlaw.elsewhere.lightning import lightning_runs
from normlaw.elsewhere.tensorboard import tensorboard_runs
from normlaw_plugins.torchvision_import import prepare_torchvision
from normlaw_registry import InputError

tensorboard_x = pytest.importorskip("tensorboardX", reason="the extra `tensorboard` brings it")


def write_run(folder: Path, values: list[float], **options: object) -> Path:
    with tensorboard_x.SummaryWriter(str(folder), **options) as writer:
        for step, value in enumerate(values):
            writer.add_scalar("val/error", value, step)
    return next(folder.glob(f"*{PART}*"))


def test_event_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    write_run(tmp_path / "b", [0.5, 0.25])
    write_run(tmp_path / "a" / "x", [0.75], filename_suffix=".1")
    with tensorboard_x.SummaryWriter(str(tmp_path / "a" / "x"), filename_suffix=".2") as writer:
        writer.add_scalar("val/error", 0.5, 7)
        writer.add_histogram("weights", np.arange(10.0), 7)
        writer.add_text("about", "words", 7)
    runs = list(tensorboard_runs(tmp_path))
    assert [run.name for run in runs] == ["a/x", "b"]
    assert {name: series.values.tolist() for name, series in runs[0].series.items()} == {
        "val/error": [0.75, 0.5]
    }
    assert runs[0].series["val/error"].steps.tolist() == [0, 7]
    assert len({run.origin for run in runs}) == 2
    assert str(tmp_path) not in "".join(run.origin for run in runs)


def test_hyperparameters_are_those_of_the_run_and_of_the_folder_below_it(tmp_path: Path) -> None:
    with tensorboard_x.SummaryWriter(str(tmp_path / "r")) as writer:
        writer.add_scalar("val/error", 0.5, 1)
        writer.add_hparams({"n": 100, "lr": 0.1, "net": "cnn", "bias": True}, {"best": 0.5}, name="hp")
    (tmp_path / "r" / "hparams.yaml").write_text("seed: 3\nnet: other\n")
    (run,) = tensorboard_runs(tmp_path)
    assert run.params == {"n": "100", "lr": "0.1", "net": "cnn", "bias": "True", "seed": "3"}


def test_numbers_may_be_tensors(tmp_path: Path) -> None:
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.record_writer import RecordWriter

    event = Event(step=3)
    for tag, content, kind in (("a", struct.pack("<f", 0.5), 1), ("b", struct.pack("<d", 0.25), 2)):
        tensor = event.summary.value.add(tag=tag).tensor
        tensor.dtype, tensor.tensor_content = kind, content
    vector = event.summary.value.add(tag="v").tensor
    vector.float_val.extend([1.0, 2.0])
    writer = RecordWriter(str(tmp_path / f"x.{PART}"))
    writer.write(event.SerializeToString())
    writer.close()
    (run,) = tensorboard_runs(tmp_path)
    assert {name: series.values.tolist() for name, series in run.series.items()} == {"a": [0.5], "b": [0.25]}


def test_a_file_that_breaks_off_ends_there_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = write_run(tmp_path, [0.5, 0.25, 0.125])
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    (run,) = tensorboard_runs(tmp_path)
    assert run.series["val/error"].values.tolist() == [0.5, 0.25]
    for damaged, told in (
        (whole[:-6] + b"x" + whole[-5:], "is damaged: wrong checksum at byte"),
        (b"not an event file at all", "is no event file"),
        (b"\xff" * 40, "is no event file"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=told):
            list(tensorboard_runs(tmp_path))


def test_an_event_that_is_none_is_refused_and_a_huge_record_is_passed_over(tmp_path: Path) -> None:
    from tensorboardX.record_writer import RecordWriter

    path = write_run(tmp_path, [0.5])
    writer = RecordWriter(str(tmp_path / "more"))
    writer.write(b"\x00" * (2**20 + 1))
    writer.write(b"\xff" * 10)
    writer.close()
    path.write_bytes(path.read_bytes() + (tmp_path / "more").read_bytes())
    with pytest.raises(InputError, match=r"is no event file: byte 10\d{5} begins no event"):
        list(tensorboard_runs(tmp_path))


@pytest.mark.slow
def test_lightnings_own_files(tmp_path: Path) -> None:
    prepare_torchvision()  # torchmetrics imports it
    loggers = pytest.importorskip("pytorch_lightning.loggers")
    logger = loggers.CSVLogger(str(tmp_path), name="mine")
    logger.log_hyperparams({"n": 100, "net": {"width": 8}, "betas": (0.9, 0.99), "none": None})
    for step in range(3):
        logger.log_metrics({"val_error": 0.5 - 0.1 * step}, step=10 * step)
        logger.log_metrics({"train_loss": 1.0}, step=10 * step + 1)
    logger.save()
    (run,) = lightning_runs(tmp_path)
    assert run.name == "mine/version_0"
    assert run.params["n"] == "100"
    assert run.params["net.width"] == "8"
    assert run.params["betas"] == "[0.9, 0.99]"
    assert "none" not in run.params
    assert run.series["val_error"].steps.tolist() == [0, 10, 20]
    assert run.series["val_error"].values == pytest.approx([0.5, 0.4, 0.3])
    assert len(run.series["train_loss"].steps) == 3


@pytest.mark.parametrize(
    ("metrics", "hparams", "told"),
    [
        ("a,b\n1,2\n", "", r"metrics\.csv, line 1: no column 'step'"),
        ("", "", r"metrics\.csv is no CSV file"),
        ("\xff\xfe", "", r"metrics\.csv"),
        ("step,a\n1,2\n", "a: &x 1\nb: *x\n", r"hparams\.yaml:2: not YAML: aliases"),
        ("step,a\n1,2\n", "a: [1\n", r"hparams\.yaml:\d: not YAML"),
        ("step,a\n1,2\n", "a: !!python/object/apply:os.system [echo]\n", ""),
    ],
)
def test_what_is_no_log_is_refused(tmp_path: Path, metrics: str, hparams: str, told: str) -> None:
    (tmp_path / "metrics.csv").write_bytes(metrics.encode("latin-1"))
    (tmp_path / "hparams.yaml").write_text(hparams)
    if not told:
        assert next(lightning_runs(tmp_path)).params == {"a": "['echo']"}  # read as text, nothing is called
        return
    with pytest.raises(InputError, match=told):
        list(lightning_runs(tmp_path))
