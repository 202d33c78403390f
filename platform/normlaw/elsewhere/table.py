"""Runs in a table whose columns somebody else has named: CSV or Parquet, a row a measuring point."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from normlaw.analysis.curves_file import PLACES, read_fields
from normlaw.analysis.frame_file import as_text
from normlaw.analysis.parquet_fields import names_of
from normlaw.elsewhere.curve import wanted
from normlaw.elsewhere.logged import Floats, LoggedRun, Series
from normlaw.elsewhere.taking import Taking
from normlaw_registry import InputError
from normlaw_registry.errors import brief, suggestion

RUN = "run"
"""Column that tells runs apart too, where a table has one of this name."""
STEP = "step"


def table_runs(path: Path, taking: Taking) -> Iterator[LoggedRun]:
    """Yield the runs of a table, in the order of their first rows.

    Rows are of one run where they agree in the columns that hold train_size, seed and whatever else of a run is
    taken, and in the column `run`, if there is one. Without a column of steps the rows of a run are numbered.

    Args:
        path: the file.
        taking: what its columns are called.

    Raises:
        InputError: the file cannot be read, a field that is taken is no number, or two rows are one point of
            one run; names file, line and column.

    """
    if taking.names is not None:
        raise InputError(f"{path} has no names of runs: take train_size and the like from its columns")
    raw = read_fields(path, [taking.param_of("train_size")])
    if raw.empty:
        raise InputError(f"{path} holds no points")
    columns = list(map(str, raw.columns))
    of_runs = {*map(taking.param_of, ("train_size", "seed", *taking.params))}
    taken = [name for name in columns if name in of_runs]
    apart = [name for name in columns if name in {RUN, *of_runs}]
    needed = list(dict.fromkeys(wanted(taking, columns).values()))
    others = [name for name in columns if name not in (*apart, *needed, taking.step or STEP)]
    texts = raw[[*apart, *others]].apply(as_text)
    which = texts.groupby(apart, sort=False).ngroup() if apart else pd.Series(0, raw.index)
    steps = _steps(path, raw, taking.step, which)
    numbers = {name: _numbers(path, raw, name) for name in needed}
    same = [name for name in others if texts[name].groupby(which).nunique().max() == 1]
    for rows in np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which))[:-1]):
        own = {name: str(texts[name].iloc[rows[0]]) for name in apart}
        params = {name: str(texts[name].iloc[rows[0]]) for name in (*taken, *same)}
        name = own.get(RUN) or " ".join(f"{key}={value}" for key, value in own.items()) or path.name
        series = {column: _series(steps[rows], values[rows]) for column, values in numbers.items()}
        lists = {name: _series(steps[:0], steps[:0]) for name in others}  # what a message names
        yield LoggedRun(name, _origin(path, own), params, {**lists, **series})


def _series(steps: Floats, values: Floats) -> Series:
    there = np.isfinite(values)
    return Series.of(steps[there].astype(np.int64), values[there])


def _numbers(path: Path, raw: pd.DataFrame, name: str) -> Floats:
    """Return a column's numbers, NaN where a field is empty."""
    fields = raw[name]
    values = pd.to_numeric(fields, errors="coerce").to_numpy(np.float64)
    if fields.dtype != "float64":
        empty = fields.str.lower().isin(["", "nan"])
        wrong = np.flatnonzero(np.isnan(values) & ~empty.to_numpy())
        if len(wrong):
            what = brief(str(fields.iloc[wrong[0]]))
            raise InputError(
                f"{_place(path, raw, wrong[0])}: column {brief(name)} must be a number, got {what}"
            )
    return values


def _steps(path: Path, raw: pd.DataFrame, said: str | None, which: pd.Series[int]) -> Floats:
    """Return each row's step."""
    name = said or STEP
    if name not in raw.columns:
        if said is not None:
            raise InputError(
                f"{names_of(path)}: no column {brief(said)}: {suggestion(said, list(raw.columns))}"
            )
        numbered: Floats = np.asarray(which.groupby(which).cumcount(), np.float64)
        return numbered
    steps = _numbers(path, raw, name)
    wrong = np.flatnonzero(~((steps == np.round(steps)) & (np.abs(steps) < 2**53)))
    if len(wrong):
        raise InputError(f"{_place(path, raw, wrong[0])}: column {brief(name)} must be a whole number")
    again = np.flatnonzero(pd.DataFrame({"which": which.to_numpy(), "step": steps}).duplicated())
    if len(again):
        raise InputError(
            f"{_place(path, raw, again[0])}: the same run and step ({steps[again[0]]:g}) as a row before: take "
            "the column that tells runs apart, such as --take seed=NAME"
        )
    return steps


def _place(path: Path, raw: pd.DataFrame, row: int) -> str:
    unit, first = raw.attrs.get(PLACES, ("line", 2))
    return f"{path}, {unit} {int(raw.index[row]) + first}"


def _origin(path: Path, params: dict[str, str]) -> str:
    """Return what tells a run of a file from all others, however many points it has; not where the file is."""
    about = [str(path.resolve()), *(part for pair in params.items() for part in pair)]
    return hashlib.sha256("\0".join(about).encode()).hexdigest()[:16]
