from __future__ import annotations

import hashlib
import shutil
import tarfile

import numpy as np
import pytest
import torch

from normlaw_plugins.datasets.cifar import CIFAR10, CIFAR100
from normlaw_registry import InputError
from normlaw_registry.testing import check_component


def dataset(source):
    return {"CIFAR10": CIFAR10, "CIFAR100": CIFAR100}[source.__name__]


def test_small_files_in_the_true_format(cifar, load):
    splits = load(dataset(cifar), cifar.folder)
    assert splits.task.input_shape == (3, 32, 32)
    assert splits.task.num_classes == (10 if cifar.__name__ == "CIFAR10" else 100)
    for train, split in ((True, splits.train), (False, splits.test)):
        assert split.inputs.dtype == torch.uint8
        assert split.inputs.is_contiguous()
        assert np.array_equal(split.inputs.flatten(1).numpy(), np.stack(cifar.pixels[train]))
        assert split.labels.dtype == torch.int64
        assert split.labels.tolist() == cifar.labels[train]
    assert splits.mean == (0.4914, 0.4822, 0.4465)
    assert splits.std == (0.2023, 0.1994, 0.2010)


def test_missing_files_are_named_with_their_place(cifar, load, tmp_path):
    with pytest.raises(InputError) as error:
        load(dataset(cifar), tmp_path)
    for name, _ in cifar.test_list:
        assert str(tmp_path / cifar.base_folder / name) in str(error.value)
    assert f"Put {cifar.filename} into {tmp_path}" in str(error.value)


def test_a_changed_batch_is_named_and_not_opened(cifar, load):
    path = cifar.folder / cifar.base_folder / cifar.test_list[0][0]
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InputError, match="checksum") as error:
        load(dataset(cifar), cifar.folder)
    assert str(path) in str(error.value)


@pytest.fixture
def archive(cifar, monkeypatch):
    """Pack the files as they are published, in place of the unpacked folder."""
    path = cifar.folder / cifar.filename
    with tarfile.open(path, "w:gz") as out:
        out.add(cifar.folder / cifar.base_folder, arcname=cifar.base_folder)
    shutil.rmtree(cifar.folder / cifar.base_folder)
    monkeypatch.setattr(cifar, "tgz_md5", hashlib.md5(path.read_bytes()).hexdigest())
    return path


def test_the_archive_is_unpacked_beside_itself(cifar, archive, load):
    assert len(load(dataset(cifar), cifar.folder).test) == 4
    archive.unlink()
    assert len(load(dataset(cifar), cifar.folder).test) == 4


def test_a_truncated_archive_is_named(cifar, archive, load):
    archive.write_bytes(archive.read_bytes()[:-9])
    with pytest.raises(InputError, match="checksum") as error:
        load(dataset(cifar), cifar.folder)
    assert str(archive) in str(error.value)


def test_download_only_when_asked(cifar, archive, load, tmp_path, monkeypatch, serve):
    monkeypatch.setattr(cifar, "url", f"{serve(archive.parent)}/{archive.name}")
    folder = tmp_path / "elsewhere"
    with pytest.raises(InputError, match="missing"):
        load(dataset(cifar), folder)
    assert len(load(dataset(cifar), folder, download=True).test) == 4
    assert [path.name for path in folder.iterdir()] == [cifar.base_folder]


def test_a_download_that_fails_leaves_nothing_behind(cifar, archive, load, tmp_path, monkeypatch, serve):
    monkeypatch.setattr(cifar, "url", f"{serve(archive.parent)}/nowhere.tar.gz")
    with pytest.raises(InputError, match="could not fetch") as error:
        load(dataset(cifar), tmp_path / "elsewhere", download=True)
    assert f"Put {cifar.filename}" in str(error.value)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_keeps_the_contract(cifar):
    check_component(dataset(cifar), data_dir=cifar.folder, train_size=4)
