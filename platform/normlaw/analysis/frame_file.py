"""Learning curves from a file with the columns that `normlaw.curves` has: what it writes is read back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import pandas as pd

from normlaw.analysis.columns import METRIC, NAME, PREFIX, RESPONSES, plain
from normlaw.analysis.curves_file import WHOLE, Wrong, checked, number, read_fields
from normlaw.analysis.parquet_fields import is_parquet, names_of, read_names
from normlaw.study.spec import RunSpec
from normlaw_registry import InputError
from normlaw_registry.errors import brief, suggestion

NUMBERS = ("epoch", "alpha", "mean_log_optimal_norm")
TEXTS = ("run",)
MOST_HEADER = 100_000
"""Bytes of the first line that are looked at."""
MOST_TEXT = 500
"""Characters of a parameter's value: what every MLflow takes."""


def read_frame(path: Path) -> tuple[pd.DataFrame, list[str]] | None:
    """Read learning curves of a file that has a column log_norm/<measure> for each measure.

    Columns: train_size (examples), log_norm/<measure> (natural log), test/error (fraction) or test/loss, or
    both; optionally run, seed, step, epoch, other errors and losses, alpha, mean_log_optimal_norm, and each
    parameter of a run in which the curves differ. A number may be missing except train_size, seed and step.

    Returns:
        The frame, a row a measuring point, with run, seed and step filled in where the file has none; and the
        columns that are parameters of runs. None: the file has no such column, and is one of one norm.

    Raises:
        InputError: the file cannot be read, a column is missing or unknown, a value is out of range, or two
            points coincide; names file, line and column.

    """
    if not _is_one(path):
        return None
    raw = read_fields(path, ("train_size", f"{PREFIX}MEASURE", RESPONSES[0]))
    settings = _settings(path, list(raw.columns))
    norms = [column for column in raw.columns if column.startswith(PREFIX)]
    key = ["run", "train_size", "seed", *settings, *(["step"] if "step" in raw.columns else norms)]
    frame = checked(path, raw, lambda column: _read(column, settings), key)
    return _whole(frame, settings), settings


def _is_one(path: Path) -> bool:
    """Return whether the file names such a column; of a file that cannot be read, nothing is said."""
    if is_parquet(path):
        return any(name.startswith(PREFIX) for name in read_names(path))
    try:
        with path.open("rb") as file:
            first = file.readline(MOST_HEADER)
    except OSError:
        return False
    return any(name.strip(b' \t\r\n"').startswith(PREFIX.encode()) for name in first.split(b","))


def _settings(path: Path, columns: Sequence[str]) -> list[str]:
    """Return the columns that are parameters of runs, once all columns are known."""
    if "train_size" not in columns:
        raise InputError(f"{names_of(path)}: no column 'train_size': {suggestion('train_size', columns)}")
    if not any(response in columns for response in RESPONSES):
        raise InputError(f"{names_of(path)}: no column 'test/error': {suggestion('test/error', columns)}")
    found = []
    for column in columns:
        if column.startswith(PREFIX):
            if not re.fullmatch(NAME, column.removeprefix(PREFIX)):
                raise InputError(f"{names_of(path)}: {brief(column)} names no measure")
        elif column not in (*WHOLE, *NUMBERS, *TEXTS) and not METRIC.fullmatch(column):
            if column.partition(".")[0] not in (*RunSpec.model_fields, "theory"):
                known = [*WHOLE, *RESPONSES, *NUMBERS, *TEXTS, *RunSpec.model_fields]
                raise InputError(
                    f"{names_of(path)}: unknown column {brief(column)}: {suggestion(column, known)}"
                )
            found.append(column)
    return found


def _read(fields: pd.Series[str], settings: Sequence[str]) -> tuple[pd.Series[Any], list[Wrong]]:
    name = str(fields.name)
    if name in settings or name in TEXTS:
        fields = as_text(fields)
        return fields, [(fields.str.len() > MOST_TEXT, f"must have {MOST_TEXT} characters at most")]
    values, wrong = number(fields.rename(plain(name)))
    if name in WHOLE:
        return values, wrong
    there = fields.notna() if fields.dtype == "float64" else fields != ""
    return values, [(bad & there, what) for bad, what in wrong]


def as_text(fields: pd.Series[Any]) -> pd.Series[str]:
    """Return a parameter as text; numbers of a Parquet file as Python writes them, whole ones as such."""
    if fields.dtype != "float64":
        return fields
    whole = (fields == fields.round()).all() and bool((fields.abs() < 2**53).all())
    return fields.astype("int64").astype(str) if whole else fields.map(repr)


def _whole(frame: pd.DataFrame, settings: Sequence[str]) -> pd.DataFrame:
    """Return the frame with run, seed and step."""
    if "seed" not in frame:
        frame["seed"] = 0
    apart = ["train_size", "seed", *settings]
    if "run" not in frame:
        texts = [frame[name].astype(str) for name in apart]
        frame["run"] = reduce(lambda so_far, text: so_far + " " + text, texts)  # row by row takes seconds
    if "step" not in frame:
        frame["step"] = frame.groupby(["run", *apart]).cumcount()
    return frame
