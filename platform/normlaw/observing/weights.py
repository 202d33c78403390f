"""Saved weights: files of torch and of safetensors, read without executing anything, and put into a network."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from normlaw_registry import InputError
from normlaw_registry.errors import brief

Weights = Mapping[str, Tensor]
INSIDE = ("state_dict", "model_state_dict", "model", "module", "net", "network")
"""Where a file that holds more than weights has them."""
IN_FOLDERS = (
    "model.safetensors.index.json",
    "model.safetensors",
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
)
"""Files that a folder's weights are in, as transformers writes them."""
SHOWN = 3


def read_weights(path: Path) -> Weights:
    """Return the weights in a file, or in a folder as transformers saves a model.

    Files of torch are read by its loader of weights alone (`weights_only=True`), which executes nothing.

    Raises:
        InputError: there is no such file, it cannot be read, or holds no weights.

    """
    if path.is_dir():
        found = next((path / name for name in IN_FOLDERS if (path / name).is_file()), None)
        if found is None:
            raise InputError(f"{path}: holds none of {', '.join(IN_FOLDERS)}")
        return read_weights(found)
    if path.suffix == ".json":
        return _read_parts(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    try:
        return _safetensors(path) if path.suffix == ".safetensors" else _torch(path)
    except InputError:
        raise
    except pickle.UnpicklingError:
        raise InputError(
            f"{path}: holds more than weights, which loading would have to execute: save `model.state_dict()`"
        ) from None
    except Exception as error:
        raise InputError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error


def _read_parts(index: Path) -> Weights:
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(f"{index}: no index of weights: {error}") from None
    parts = [read_weights(index.parent / Path(name).name) for name in names]
    return {key: value for part in parts for key, value in part.items()}


def _safetensors(path: Path) -> Weights:
    try:
        from safetensors.torch import load_file
    except ImportError:
        raise InputError(
            f"{path}: the package that reads it is missing: pip install 'normlaw[safetensors]'"
        ) from None
    loaded: Weights = load_file(path)
    return loaded


def _torch(path: Path) -> Weights:
    loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    for found in (loaded, *(loaded.get(key) for key in INSIDE if isinstance(loaded, Mapping))):
        if isinstance(found, Mapping) and any(isinstance(value, Tensor) for value in found.values()):
            return {key: value for key, value in found.items() if isinstance(value, Tensor)}
    what = brief(sorted(map(str, loaded))) if isinstance(loaded, Mapping) else type(loaded).__name__
    raise InputError(f"{path}: holds no weights by name but {what}")


def put_into(network: nn.Module, weights: Weights, path: Path) -> list[str]:
    """Put weights into a network; return the names that it has no place for.

    A prefix that names have and the network's lack (of DDP, torch.compile, a wrapping class), or the other way
    round, does not matter. Weights that are tied need to be there once.

    Args:
        network: is changed.
        weights: by name.
        path: where they come from, for messages.

    Raises:
        InputError: a weight or buffer of the network is missing, or has another shape; names it.

    """
    own = network.state_dict(keep_vars=True)
    renamed = min(_renamed(weights, list(own)), key=lambda some: len(own.keys() - some.keys()))
    there = {own[name].data_ptr() for name in own.keys() & renamed.keys()}
    missing = [name for name in own if name not in renamed and own[name].data_ptr() not in there]
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise InputError(f"{path}: lacks {', '.join(missing[:SHOWN])}{more}, which the model has")
    for name in own.keys() & renamed.keys():
        if own[name].shape != renamed[name].shape:
            shapes = f"{tuple(renamed[name].shape)}, in the model {tuple(own[name].shape)}"
            raise InputError(f"{path}: {name} has the shape {shapes}")
    network.load_state_dict({name: renamed[name] for name in own.keys() & renamed.keys()}, strict=False)
    return sorted(renamed.keys() - own.keys())


def _renamed(weights: Weights, own: Sequence[str]) -> Iterator[Weights]:
    """Yield the weights under the names that they may have been saved from."""
    yield weights
    if not own:
        return
    longest = max(own, key=len)
    for name in weights:
        if name.endswith(f".{longest}"):
            prefix = name[: -len(longest)]
            yield {key.removeprefix(prefix): value for key, value in weights.items()}
        elif longest.endswith(f".{name}"):
            prefix = longest[: -len(name)]
            yield {
                f"{prefix}{key}" if f"{prefix}{key}" in own else key: value for key, value in weights.items()
            }


def in_order(paths: Sequence[Path]) -> list[tuple[int, Path]]:
    """Return files in the order of training, each with its step.

    The step is the last number by which the names differ, where they differ in numbers alone; else files are
    taken in the order given, and numbered from 0.

    >>> in_order([Path("step1000/m2.pt"), Path("step64/m2.pt")])
    [(64, PosixPath('step64/m2.pt')), (1000, PosixPath('step1000/m2.pt'))]
    >>> in_order([Path("late.pt"), Path("early.pt")])
    [(0, PosixPath('late.pt')), (1, PosixPath('early.pt'))]
    """
    split = [re.split(r"(\d+)", str(path)) for path in paths]  # text, number, text, ..
    if len({tuple(parts[::2]) for parts in split}) == 1:
        for place in range(len(split[0]) - 2, 0, -2):
            steps = [int(parts[place]) for parts in split]
            if len(set(steps)) == len(steps) and (len(steps) > 1 or place == len(split[0]) - 2):
                return sorted(zip(steps, paths, strict=True))
    return list(enumerate(paths))
