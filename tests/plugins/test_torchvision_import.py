from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from normlaw_plugins import torchvision_import
from normlaw_tests import forked


@pytest.mark.slow
def test_torchvision_imports_after_the_preparation_which_does_not_import_it(tmp_path):
    told = tmp_path / "told.txt"
    process = forked.begin(_prepare_and_import, out=told, folder=tmp_path)
    process.join()
    assert told.read_text() == "False False\n3 MNIST\n"


def _prepare_and_import() -> None:
    before = "torchvision" in sys.modules
    torchvision_import.prepare_torchvision()
    torchvision_import.prepare_torchvision()
    print(before, "torchvision" in sys.modules)
    from torchvision import datasets, models

    print(models.resnet18(num_classes=3).fc.out_features, datasets.MNIST.__name__)


def test_working_operators_are_left_alone(monkeypatch):
    declared: list[str] = []
    monkeypatch.setattr(torch.ops, "load_library", lambda path: None)
    monkeypatch.setattr(torch.library, "define", lambda name, schema: declared.append(name))
    torchvision_import.prepare_torchvision.__wrapped__()
    assert declared == []


def test_a_library_that_does_not_load_is_found(monkeypatch):
    def refuse(path: str) -> None:
        assert Path(path).name.startswith("_C")
        raise OSError("undefined symbol")

    monkeypatch.setattr(torch.ops, "load_library", refuse)
    assert not torchvision_import._compiled_operators_load()
