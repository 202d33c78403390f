"""A data set that cannot be loaded is named, with the plugin that provides it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from normlaw.study.spec import RunSpec
from normlaw.training.data import load_splits
from normlaw_registry import Catalogue, Dataset, InputError, NormlawError, Params
from normlaw_registry.host import PluginRecord


class Unreadable(Params):
    pass


def of_a_missing_file(params: Any, context: Any) -> Any:
    return Path("/nowhere/images.npy").read_bytes()


def of_a_mute_error(params: Any, context: Any) -> Any:
    raise OSError("the tape is torn")


def of_a_bug(params: Any, context: Any) -> Any:
    images: dict[str, Any] = {}
    return images["images"]


def of_its_own_words(params: Any, context: Any) -> Any:
    raise InputError("give --download")


@pytest.mark.parametrize(
    ("load", "told"),
    [
        (of_a_missing_file, "cannot be loaded: /nowhere/images.npy: No such file or directory"),
        (of_a_mute_error, "cannot be loaded: OSError: the tape is torn"),
        (of_a_bug, "cannot be loaded: KeyError: 'images'"),
        (of_its_own_words, None),
    ],
)
def test_who_and_why(load: Callable[..., Any], told: str | None, tmp_path: Path) -> None:
    dataset = Dataset(name="mine", summary="Mine.", params=Unreadable, load=load)
    record = PluginRecord(name="m", module="m", distribution="my-data", version="2.1", components=(dataset,))
    spec = RunSpec.model_validate(
        {
            "architecture": "mlp",
            "dataset": "mine",
            "train_size": 8,
            "seed": 0,
            "steps": 1,
            "measures": ["weight_norm"],
        }
    )
    with pytest.raises(NormlawError) as caught:
        load_splits(spec, Catalogue.of([record]), tmp_path)
    said = "give --download" if told is None else f"dataset 'mine' of my-data 2.1 {told}"
    assert str(caught.value) == said
