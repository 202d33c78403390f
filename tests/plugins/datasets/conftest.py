"""Small files in the formats of the published data sets."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import struct
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from normlaw_plugins.torchvision_import import prepare_torchvision
from normlaw_registry import Dataset, LoadContext, Splits, validate_params

Images = dict[str, tuple[Any, Any]]


@pytest.fixture(scope="session")
def load() -> Callable[..., Splits]:
    """Load a data set from a folder with the given parameters."""

    def of(dataset: Dataset, folder: Path, download: bool = False, **values: Any) -> Splits:
        context = LoadContext(seed=0, train_size=1, data_dir=folder, download=download)
        return dataset.load(validate_params(dataset, values), context)

    return of


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve a folder over HTTP on loopback; returns its address."""
    servers = []

    def start(folder: Path) -> str:
        handler = partial(QuietHandler, directory=str(folder))
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def grey() -> Images:
    """Seven training and three test examples: images (n, 28, 28) and labels (n,)."""
    stream = np.random.default_rng(0)
    return {
        part: (
            stream.integers(0, 256, (n, 28, 28), dtype=np.uint8),
            stream.integers(0, 10, n, dtype=np.uint8),
        )
        for part, n in (("train", 7), ("t10k", 3))
    }


@pytest.fixture
def write_mnist(grey: Images) -> Callable[..., Path]:
    """Write the four files of MNIST's format, http://yann.lecun.com/exdb/mnist: big-endian IDX."""

    def write(folder: Path, packed: bool = True, images: Images = grey) -> Path:
        folder.mkdir(parents=True)
        for part, (pixels, labels) in images.items():
            contents = {
                f"{part}-images-idx3-ubyte": struct.pack(">4i", 0x803, *pixels.shape) + pixels.tobytes(),
                f"{part}-labels-idx1-ubyte": struct.pack(">2i", 0x801, len(labels)) + labels.tobytes(),
            }
            for name, data in contents.items():
                if packed:
                    (folder / f"{name}.gz").write_bytes(gzip.compress(data))
                else:
                    (folder / name).write_bytes(data)
        return folder

    return write


@pytest.fixture(params=["cifar10", "cifar100"])
def cifar(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write small batches in CIFAR's format and let torchvision expect their checksums.

    Returns torchvision's class with `folder`, `pixels` and `labels` of all examples in order added to it.
    """
    prepare_torchvision()
    from torchvision import datasets

    source = getattr(datasets, request.param.upper())
    stream = np.random.default_rng(1)
    key, classes = ("labels", 10) if request.param == "cifar10" else ("fine_labels", 100)
    home = tmp_path / "data" / source.base_folder
    home.mkdir(parents=True)
    pixels: dict[bool, list[Any]] = {True: [], False: []}
    labels: dict[bool, list[int]] = {True: [], False: []}
    for train in (True, False):
        listed = []
        for name, _ in source.train_list if train else source.test_list:
            rows = stream.integers(0, 256, (4, 3072), dtype=np.uint8)  # red plane, green plane, blue plane
            answers = stream.integers(0, classes, 4).tolist()
            data = pickle.dumps({"batch_label": name, key: answers, "data": rows, "filenames": []}, protocol=2)
            (home / name).write_bytes(data)
            listed.append([name, hashlib.md5(data).hexdigest()])
            pixels[train] += list(rows)
            labels[train] += answers
        monkeypatch.setattr(source, "train_list" if train else "test_list", listed)
    data = pickle.dumps({source.meta["key"]: [str(i) for i in range(classes)]}, protocol=2)
    (home / source.meta["filename"]).write_bytes(data)
    monkeypatch.setattr(source, "meta", {**source.meta, "md5": hashlib.md5(data).hexdigest()})
    monkeypatch.setattr(source, "folder", tmp_path / "data", raising=False)
    monkeypatch.setattr(source, "pixels", pixels, raising=False)
    monkeypatch.setattr(source, "labels", labels, raising=False)
    return source
