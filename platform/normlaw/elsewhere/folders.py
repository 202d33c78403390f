"""Folders in which another program has left a run each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from normlaw.study.listed import flatten
from normlaw.study.yaml_loader import Loader
from normlaw_registry import InputError

HPARAMS = "hparams.yaml"
"""What Lightning's loggers write a module's hyperparameters to, beside what they log."""
MAX_HPARAMS = 1_000_000
"""Bytes of it."""


def folders_with(root: Path, part: str) -> Iterator[tuple[Path, list[Path]]]:
    """Yield each folder, `root` or below it, that has files with this in their name, with these; in order.

    Raises:
        InputError: a folder cannot be listed.

    """

    def refuse(error: OSError) -> None:
        raise InputError(f"cannot read {error.filename}: {error.strerror}")

    for folder, below, files in os.walk(root, onerror=refuse):
        below.sort()
        found = [Path(folder, name) for name in sorted(files) if part in name]
        if found:
            yield Path(folder), found


def has(root: Path, part: str) -> bool:
    """Return whether there is such a file anywhere in a folder."""
    return next(folders_with(root, part), None) is not None


def name_of(folder: Path, root: Path) -> str:
    """Return what a folder's run is called: the path from the root, or the root's own name."""
    return folder.relative_to(root).as_posix() if folder != root else root.resolve().name


def origin_of(folder: Path) -> str:
    """Return what tells a folder's run from all others; it does not tell where the folder is."""
    return hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]


def hparams_of(folder: Path) -> Mapping[str, str]:
    """Return the hyperparameters that stand in a folder's file, flattened; none where there is no file.

    Raises:
        InputError: the file cannot be read, or is no YAML; says the line.

    """
    path = folder / HPARAMS
    try:
        with path.open("rb") as file:
            content = file.read(MAX_HPARAMS + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    if len(content) > MAX_HPARAMS:
        raise InputError(f"{path}: larger than {MAX_HPARAMS} bytes, which no hyperparameters are")
    try:
        tree = _Plain(content).get_single_data()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: not YAML: {error.problem}"[:500]) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InputError(f"{path}: not YAML in UTF-8") from None
    return as_params(tree) if isinstance(tree, dict) else {}


def as_params(tree: Mapping[Any, Any]) -> dict[str, str]:
    """Return nested hyperparameters as one mapping of texts; what is None is not there."""
    plain = flatten({str(key): value for key, value in tree.items()})
    return {name: str(value) for name, value in plain.items() if value is not None}


class _Plain(Loader):
    """Reads objects of Python, which Lightning writes for tuples, as the lists and texts in them."""


def _content(loader: Any, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_Plain.add_multi_constructor("tag:yaml.org,2002:python/", _content)
