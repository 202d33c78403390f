"""CIFAR-10 and CIFAR-100, read by torchvision from the published Python batches."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from normlaw_plugins.datasets.image_files import ColourParams, damaged, fetch, missing_files
from normlaw_plugins.torchvision_import import prepare_torchvision
from normlaw_registry import Dataset, DatasetInfo, LoadContext, Split, Splits, Task

if TYPE_CHECKING:
    import numpy as np


def load_cifar(
    name: str, torchvision_name: Literal["CIFAR10", "CIFAR100"], params: ColourParams, context: LoadContext
) -> Splits:
    """Return the data set from torchvision's layout under `context.data_dir`.

    That is the unpacked folder (`cifar-10-batches-py`, `cifar-100-python`), or the published archive, which is
    unpacked beside itself. Batches are pickles: none is opened whose checksum is not the published one.

    Raises:
        InputError: a file is missing, could not be downloaded, or its checksum is not the published one.

    """
    prepare_torchvision()
    from torchvision import datasets
    from torchvision.datasets.utils import check_integrity

    source = getattr(datasets, torchvision_name)
    folder = context.data_dir.absolute()
    home, archive = folder / source.base_folder, folder / source.filename
    advice = f"Put {source.filename} into {folder} (from {source.url})"
    published = {home / file: md5 for file, md5 in (*source.train_list, *source.test_list)}
    published[home / source.meta["filename"]] = source.meta["md5"]
    if any(not path.exists() for path in published):
        if archive.exists():
            if not check_integrity(archive, source.tgz_md5):
                raise damaged(archive, "its MD5 checksum is not the published one")
            fetch(folder, source.base_folder, str(archive), partial(_unpack, archive), advice)
        elif context.download:
            fetch(folder, source.base_folder, source.url, partial(_download, source), advice)
        else:
            missing = (path for path in published if not path.exists())
            raise missing_files(name, missing, f"{advice}, or allow it to be fetched: `--download`.")
    for path, md5 in published.items():
        if not check_integrity(path, md5):
            raise damaged(path, "its MD5 checksum is not the published one")
    train, test = (_split(source(context.data_dir, train=part)) for part in (True, False))
    return Splits(
        task=info(torchvision_name).task,
        train=train,
        test=test,
        mean=params.mean,
        std=params.std,
    )


def info(torchvision_name: Literal["CIFAR10", "CIFAR100"]) -> DatasetInfo:
    """Return the task and the number of test examples."""
    classes = 10 if torchvision_name == "CIFAR10" else 100
    return DatasetInfo(task=Task(input_shape=(3, 32, 32), num_classes=classes), test_size=10_000)


def _unpack(archive: Path, folder: Path) -> None:
    from torchvision.datasets.utils import extract_archive

    extract_archive(archive, folder)


def _download(source: Any, folder: Path) -> None:
    from torchvision.datasets.utils import download_and_extract_archive

    download_and_extract_archive(source.url, folder, filename=source.filename, md5=source.tgz_md5)


def _split(loaded: Any) -> Split:
    import torch

    images: np.ndarray[Any, Any] = loaded.data  # (n, 32, 32, 3) uint8
    return Split(
        inputs=torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(),  # (n, 3, 32, 32)
        labels=torch.tensor(loaded.targets, dtype=torch.int64),
    )


CIFAR10 = Dataset(
    name="cifar10",
    summary="60,000 photographs, 32x32 colour, 10 classes",
    source="Krizhevsky 2009",
    params=ColourParams,
    load=partial(load_cifar, "cifar10", "CIFAR10"),
    info=lambda params: info("CIFAR10"),
)
CIFAR100 = Dataset(
    name="cifar100",
    summary="60,000 photographs, 32x32 colour, 100 classes",
    source="Krizhevsky 2009",
    params=ColourParams,
    load=partial(load_cifar, "cifar100", "CIFAR100"),
    info=lambda params: info("CIFAR100"),
)
