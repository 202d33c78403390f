"""What TensorBoard shows: a folder a run, with event files, as PyTorch, Lightning and Keras write them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from normlaw.elsewhere.event_file import PART, events
from normlaw.elsewhere.folders import folders_with, hparams_of, name_of, origin_of
from normlaw.elsewhere.logged import LoggedRun, Series

Points = dict[str, tuple[list[int], list[float]]]
HPARAMS = "_hparams_/session_start_info"


def tensorboard_runs(root: Path) -> Iterator[LoggedRun]:
    """Yield the runs of a log folder, in the order of their names.

    A run's parameters are the hyperparameters that it logged, which PyTorch's `add_hparams` does in a folder
    below the run's, and those of `hparams.yaml`, which Lightning writes beside the events.

    Raises:
        InputError: tensorboardX is not installed, or a file cannot be read or is no event file.

    """
    files = dict(folders_with(root, PART))
    below: dict[Path, tuple[Points, dict[str, str]]] = {}
    for folder, own in files.items():
        points, params = below.pop(folder) if folder in below else _read(own)
        once = all(len(steps) == 1 for steps, _ in points.values())
        if params and once and folder.parent in files and folder != root:
            continue  # the hyperparameters of the parent, which has taken them
        for child in (child for child in files if child.parent == folder and child != folder):
            below[child] = _read(files[child])
            params = {**below[child][1], **params}
        yield LoggedRun(
            name_of(folder, root),
            origin_of(folder),
            {**hparams_of(folder), **params},
            {tag: Series.of(*found) for tag, found in points.items()},
        )


def _read(files: Sequence[Path]) -> tuple[Points, dict[str, str]]:
    """Return the numbers and hyperparameters of a run's files, one after the other."""
    points: Points = {}
    params: dict[str, str] = {}
    for path in files:
        for event in events(path):
            for value in event.summary.value:
                if value.tag == HPARAMS:
                    params |= _hparams(value.metadata.plugin_data.content)
                elif (number := _number(value)) is not None:
                    steps, numbers = points.setdefault(value.tag, ([], []))
                    steps.append(event.step)
                    numbers.append(number)
    return points, params


def _number(value: Any) -> float | None:
    """Return a summary's number, in the old form or as a tensor without axes; None of anything else."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    if not value.HasField("tensor") or len(value.tensor.tensor_shape.dim) > 0:
        return None
    for numbers in (value.tensor.float_val, value.tensor.double_val):
        if len(numbers) == 1:
            return float(numbers[0])
    content = value.tensor.tensor_content
    form = {(1, 4): "<f", (2, 8): "<d"}.get((value.tensor.dtype, len(content)))  # DT_FLOAT and DT_DOUBLE
    return float(struct.unpack(form, content)[0]) if form else None


def _hparams(content: bytes) -> dict[str, str]:
    """Return the hyperparameters of a session as texts; whole numbers, which are stored as floats, as such."""
    from google.protobuf.message import DecodeError
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    try:
        found = HParamsPluginData.FromString(content).session_start_info.hparams
    except DecodeError:
        return {}
    params = {}
    for name, value in found.items():
        kind = value.WhichOneof("kind")
        if kind == "number_value":
            params[name] = (
                str(int(value.number_value)) if value.number_value.is_integer() else repr(value.number_value)
            )
        elif kind in ("string_value", "bool_value"):
            params[name] = str(getattr(value, kind))
    return params
