from __future__ import annotations

import gzip
import hashlib
import shutil

import numpy as np
import pytest
import torch

from normlaw_plugins.datasets import mnist as module
from normlaw_plugins.datasets.mnist import DEBIAN_FASHION, FASHION_MNIST, MNIST
from normlaw_plugins.torchvision_import import prepare_torchvision
from normlaw_registry import InputError
from normlaw_registry.testing import check_component


@pytest.fixture(autouse=True)
def no_system_files(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "DEBIAN_FASHION", tmp_path / "no system files")


@pytest.mark.parametrize(("dataset", "place"), [(MNIST, "MNIST/raw"), (FASHION_MNIST, "FashionMNIST/raw")])
@pytest.mark.parametrize("packed", [True, False])
def test_small_files_in_the_true_format(tmp_path, load, write_mnist, grey, dataset, place, packed):
    write_mnist(tmp_path / place, packed)
    splits = load(dataset, tmp_path)
    for split, (pixels, labels) in ((splits.train, grey["train"]), (splits.test, grey["t10k"])):
        assert split.inputs.dtype == torch.uint8
        assert np.array_equal(split.inputs[:, 0].numpy(), pixels)
        assert split.labels.dtype == torch.int64
        assert split.labels.tolist() == labels.tolist()
    assert splits.task.input_shape == (1, 28, 28)
    assert splits.task.num_classes == 10
    assert splits.validation is None


def test_scaling_can_be_set(tmp_path, load, write_mnist):
    write_mnist(tmp_path / "MNIST/raw")
    assert load(MNIST, tmp_path).mean == (0.1307,)
    splits = load(MNIST, tmp_path, mean=[0.5], std=[0.5])
    assert (splits.mean, splits.std) == ((0.5,), (0.5,))
    for bad in ({"mean": [0.1, 0.2]}, {"std": [0.0]}):
        with pytest.raises(InputError):
            load(MNIST, tmp_path, **bad)


def test_missing_files_are_named_with_their_place(tmp_path, load):
    with pytest.raises(InputError) as error:
        load(MNIST, tmp_path)
    message = str(error.value)
    assert str(tmp_path / "MNIST/raw/t10k-labels-idx1-ubyte") in message
    assert "Put train-images-idx3-ubyte.gz, t10k-images-idx3-ubyte.gz" in message
    assert "`--download`" in message
    assert list(tmp_path.iterdir()) == []


def test_one_missing_file_is_named_alone(tmp_path, load, write_mnist):
    (write_mnist(tmp_path / "MNIST/raw") / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(InputError) as error:
        load(MNIST, tmp_path)
    listed = [line for line in str(error.value).splitlines() if line.startswith("  - ")]
    assert listed == [f"  - {tmp_path / 'MNIST/raw/t10k-images-idx3-ubyte'}"]


def cut(data: bytes) -> bytes:
    return data[: len(data) - 3]


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


def text(data: bytes) -> bytes:
    return b"<html>404 not found</html>"


def empty(data: bytes) -> bytes:
    return b""


# an unpacked file carries no checksum: there, one changed pixel cannot be seen
@pytest.mark.parametrize(
    ("packed", "harm"),
    [(True, cut), (True, flip), (True, text), (True, empty), (False, cut), (False, text), (False, empty)],
)
@pytest.mark.parametrize("file", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
def test_damaged_files_are_named(tmp_path, load, write_mnist, packed, file, harm):
    path = write_mnist(tmp_path / "MNIST/raw", packed) / (f"{file}.gz" if packed else file)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(InputError, match="damaged") as error:
        load(MNIST, tmp_path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("labels", [[1, 2], [1, 2, 10]])
def test_labels_that_do_not_fit_are_named(tmp_path, load, write_mnist, grey, labels):
    images = {**grey, "t10k": (grey["t10k"][0], np.array(labels, dtype=np.uint8))}
    write_mnist(tmp_path / "MNIST/raw", images=images)
    with pytest.raises(InputError, match=r"t10k-labels-idx1-ubyte\.gz is damaged"):
        load(MNIST, tmp_path)


@pytest.fixture
def mirror(tmp_path, monkeypatch, write_mnist, serve):
    """Serve small files in the place of the published ones, with checksums of their own."""
    prepare_torchvision()
    from torchvision import datasets

    folder = write_mnist(tmp_path / "mirror")
    sums = [
        (name, hashlib.md5((folder / name).read_bytes()).hexdigest()) for name, _ in datasets.MNIST.resources
    ]
    monkeypatch.setattr(datasets.MNIST, "mirrors", [f"{serve(folder)}/"])
    monkeypatch.setattr(datasets.MNIST, "resources", sums)
    return folder


def test_download_only_when_asked(tmp_path, load, mirror):
    folder = tmp_path / "data"
    with pytest.raises(InputError, match="missing"):
        load(MNIST, folder)
    assert len(load(MNIST, folder, download=True).train) == 7
    shutil.rmtree(mirror)
    assert len(load(MNIST, folder).train) == 7  # found where the download put them
    assert [path.name for path in folder.iterdir()] == ["MNIST"]


def test_a_download_that_fails_leaves_nothing_behind(tmp_path, load, mirror):
    path = mirror / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(b"something else"))
    with pytest.raises(InputError, match="could not fetch mnist") as error:
        load(MNIST, tmp_path / "data", download=True)
    assert "Put train-images-idx3-ubyte.gz" in str(error.value)
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.skipif(not DEBIAN_FASHION.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
@pytest.mark.slow
def test_the_real_fashion_mnist(tmp_path, load, monkeypatch):
    monkeypatch.setattr(module, "DEBIAN_FASHION", DEBIAN_FASHION)
    splits = load(FASHION_MNIST, tmp_path)
    assert splits.train.labels.bincount().tolist() == [6000] * 10
    assert splits.test.labels.bincount().tolist() == [1000] * 10
    pixels = splits.train.inputs.double() / 255
    assert splits.mean == (round(pixels.mean().item(), 4),)
    assert splits.std == (round(pixels.std().item(), 4),)
    assert splits.train.labels[:5].tolist() == [9, 0, 0, 3, 0]


@pytest.mark.parametrize(("dataset", "place"), [(MNIST, "MNIST/raw"), (FASHION_MNIST, "FashionMNIST/raw")])
def test_keeps_the_contract(tmp_path, write_mnist, dataset, place):
    write_mnist(tmp_path / place)
    check_component(dataset, data_dir=tmp_path, train_size=5)
