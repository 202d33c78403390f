from __future__ import annotations

from pathlib import Path

import pytest
import torch

from normlaw_plugins import torchvision_import
from normlaw_tests.processes import python


@pytest.mark.slow
def test_torchvision_imports_after_the_preparation():
    result = python(
        "-c",
        "from normlaw_plugins.torchvision_import import prepare_torchvision\n"
        "prepare_torchvision(); prepare_torchvision()\n"
        "from torchvision import datasets, models\n"
        "print(models.resnet18(num_classes=3).fc.out_features, datasets.MNIST.__name__)",
    )
    assert result.stdout == "3 MNIST\n", result.stderr


@pytest.mark.slow
def test_preparation_itself_does_not_import_torchvision():
    result = python(
        "-c",
        "import sys\n"
        "from normlaw_plugins.torchvision_import import prepare_torchvision\n"
        "prepare_torchvision()\n"
        "print('torchvision' in sys.modules)",
    )
    assert result.stdout == "False\n", result.stderr


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
