"""MNIST and Fashion-MNIST, read by torchvision from files in MNIST's format, packed by gzip or not."""

from __future__ import annotations

import gzip
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from normlaw_plugins.datasets.image_files import Deviation, GreyParams, Mean, damaged, fetch, missing_files
from normlaw_plugins.torchvision_import import prepare_torchvision
from normlaw_registry import Dataset, DatasetInfo, InputError, LoadContext, Split, Splits, Task

if TYPE_CHECKING:
    from torch import Tensor

IMAGES = {"train": "train-images-idx3-ubyte", "test": "t10k-images-idx3-ubyte"}
LABELS = {"train": "train-labels-idx1-ubyte", "test": "t10k-labels-idx1-ubyte"}
DEBIAN_FASHION = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts the files."""


class FashionParams(GreyParams):
    """Parameters of `fashion_mnist`: uint8 pixels x become (x / 255 - mean) / std."""

    mean: tuple[Mean] = Field(default=(0.2860,), description="subtracted from pixels in [0, 1]")
    std: tuple[Deviation] = Field(default=(0.3530,), description="divides after `mean` is subtracted")


def load_mnist_files(
    name: str, torchvision_name: Literal["MNIST", "FashionMNIST"], params: GreyParams, context: LoadContext
) -> Splits:
    """Return the data set from `<folder>/<torchvision's name>/raw`, torchvision's own layout.

    Raises:
        InputError: a file is missing, could not be downloaded, or is damaged; names it.

    """
    prepare_torchvision()
    from torchvision import datasets

    place = f"{torchvision_name}/raw"
    home = (context.data_dir / place).absolute()
    source = getattr(datasets, torchvision_name)
    advice = (
        f"Put {', '.join(f'{file}.gz' for file in (*IMAGES.values(), *LABELS.values()))} into {home} "
        f"(packed or unpacked; from {source.mirrors[0]})"
    )
    places = [home] if name == "mnist" else [home, DEBIAN_FASHION]
    files = _find(places)
    if isinstance(files, list) and context.download:
        fetch(context.data_dir, place, name, partial(source, download=True), advice)
        files = _find(places)
    if isinstance(files, list):
        raise missing_files(name, files, f"{advice}, or allow them to be fetched: `--download`.")
    train, test = (_read_split(files[IMAGES[part]], files[LABELS[part]]) for part in ("train", "test"))
    if train.inputs.shape[1:] != test.inputs.shape[1:]:
        raise InputError(
            f"dataset {name!r}: images in {files[IMAGES['train']]} and {files[IMAGES['test']]} differ in size"
        )
    _, *shape = train.inputs.shape
    return Splits(
        task=Task(input_shape=tuple(shape), num_classes=10),
        train=train,
        test=test,
        mean=params.mean,
        std=params.std,
    )


def _find(places: Iterable[Path]) -> dict[str, Path] | list[Path]:
    """Return the four files in the first place that has them all, or else what the first place lacks."""
    lacking: list[Path] | None = None
    for place in places:
        found: dict[str, Path] = {}
        for file in (*IMAGES.values(), *LABELS.values()):
            for path in (place / file, place / f"{file}.gz"):
                if path.is_file():
                    found.setdefault(file, path)
        if len(found) == 4:
            return found
        if lacking is None:
            lacking = [place / f for f in (*IMAGES.values(), *LABELS.values()) if f not in found]
    return lacking or []


def _read_split(images_path: Path, labels_path: Path) -> Split:
    from torchvision.datasets import mnist

    images = _read(images_path, mnist.read_image_file)  # (n, height, width) uint8
    labels = _read(labels_path, mnist.read_label_file)  # (n,) int64
    if len(images) != len(labels):
        raise damaged(labels_path, f"{len(labels)} labels for {len(images)} images in {images_path}")
    if not len(labels):
        raise damaged(labels_path, "no examples")
    if int(labels.max()) > 9:
        raise damaged(labels_path, f"a label is {int(labels.max())}, above 9")
    return Split(inputs=images[:, None], labels=labels)  # (n, 1, height, width)


def _read(path: Path, reader: Callable[[str], Tensor]) -> Tensor:
    try:
        with _unpacked(path) as plain:
            return reader(str(plain))
    except (
        AssertionError,
        EOFError,
        KeyError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
        zlib.error,
    ) as error:
        # what gzip and torchvision's reader raise for truncated, foreign or inconsistent bytes
        raise damaged(path, " ".join(str(error).split()) or "its header is not MNIST's") from error


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """Give the file itself, or a temporary unpacked copy: torchvision's reader takes plain files only."""
    if path.suffix != ".gz":
        yield path
        return
    with TemporaryDirectory() as folder:
        plain = Path(folder) / path.stem
        with gzip.open(path) as packed, plain.open("wb") as out:
            shutil.copyfileobj(packed, out)
        yield plain


INFO = DatasetInfo(task=Task(input_shape=(1, 28, 28), num_classes=10), test_size=10_000)
"""Of the published files; others of the format are read too."""

MNIST = Dataset(
    name="mnist",
    summary="70,000 handwritten digits, 28x28 grey, 10 classes",
    source="LeCun, Bottou, Bengio, Haffner 1998",
    params=GreyParams,
    load=partial(load_mnist_files, "mnist", "MNIST"),
    info=lambda params: INFO,
)
FASHION_MNIST = Dataset(
    name="fashion_mnist",
    summary="70,000 articles of clothing, 28x28 grey, 10 classes",
    source="Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747",
    params=FashionParams,
    load=partial(load_mnist_files, "fashion_mnist", "FashionMNIST"),
    info=lambda params: INFO,
)
