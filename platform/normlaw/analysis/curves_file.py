"""Learning curves from a CSV or Parquet file, with errors that name file, line and column."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from normlaw.analysis.columns import NAME
from normlaw.analysis.parquet_fields import is_parquet, names_of, parquet_fields
from normlaw.analysis.ranges import LARGEST, out_of_range
from normlaw_registry import InputError, Response
from normlaw_registry.curves.columns import integers
from normlaw_registry.errors import brief, suggestion

REQUIRED = ("train_size", "log_norm")
RESPONSES = ("test_error", "test_loss")
OPTIONAL = ("seed", "step", "alpha", "measure", "mean_log_optimal_norm")
TEXT = ("measure",)
WHOLE = ("train_size", "seed", "step")
KEY = ("train_size", "seed", "measure", "step", "log_norm")
"""What tells points apart."""
DEFAULT_MEASURE = "norm"
SHOWN = 5
"""Problems, or measures, listed in one message."""
PLACES = "places"
"""Attribute of a table of fields: what a message calls a row, and the number of the first one."""
MOST_TEXT = 300
"""Characters of a parser's own words in a message."""

Wrong = tuple["pd.Series[bool]", str]
"""Which fields are wrong, and what they must be."""


def read_curves_file(
    path: Path, norm: str | None = None, response: Response | None = None
) -> tuple[pd.DataFrame, str]:
    """Read learning curves of one measure from a CSV file with a header line.

    Columns: train_size (examples), log_norm (natural log), test_error (fraction in [0, 1]), test_loss (at
    least 0), or both; optionally seed, step, alpha, measure (name of the norm; several may share the file),
    mean_log_optimal_norm.

    Args:
        path: the file.
        norm: the measure to take; needed when the file holds several.
        response: what is analysed, by default the test error: its column must be there.

    Returns:
        The points of that measure, and its name ("norm" when the file names none).

    Raises:
        InputError: the file cannot be read, a column is missing or unknown, a value is no number or out of
            range, or two points coincide; names file, line and column.

    """
    frame = read_table(path, ((response or Response()).quantity,))
    if "measure" not in frame.columns:
        if norm not in (None, DEFAULT_MEASURE):
            raise InputError(f"{path} has no column 'measure', so norm {norm!r} cannot be picked from it")
        return frame, DEFAULT_MEASURE
    measures = list(dict.fromkeys(frame["measure"]))
    if norm is None and len(measures) > 1:
        shown = ", ".join([*measures[:SHOWN], *["..."] * (len(measures) > SHOWN)])
        raise InputError(f"{path} holds several measures ({shown}): choose one with --norm")
    chosen = norm or measures[0]
    if chosen not in measures:
        raise InputError(f"{path} has no measure {chosen!r}: {suggestion(chosen, measures)}")
    return frame[frame["measure"] == chosen].drop(columns="measure").reset_index(drop=True), chosen


def read_every_measure(path: Path, response: Response | None = None) -> pd.DataFrame:
    """Return the curves of a file with a column log_norm/<measure> for each measure, a row a point of a run.

    Raises:
        InputError: as `read_curves_file`, or there are several measures and no column step to match them by.

    """
    quantity = (response or Response()).quantity
    frame = read_table(path, (quantity,))
    if "measure" not in frame.columns:
        return frame
    if frame["measure"].nunique() > 1 and "step" not in frame.columns:
        raise InputError(
            f"{path} has no column 'step', which tells the points that several measures have in common: norms "
            "cannot be compared"
        )
    key = [name for name in ("train_size", "seed", "step") if name in frame.columns]
    if "step" not in key:
        only = f"log_norm/{frame['measure'].iloc[0]}"
        return frame.rename(columns={"log_norm": only}).drop(columns="measure")
    wide = frame.pivot_table(index=key, columns="measure", values="log_norm", sort=False)
    errors = frame.groupby(key, sort=False)[quantity].first()
    return wide.add_prefix("log_norm/").join(errors).reset_index()


def read_table(path: Path, responses: Sequence[str] = RESPONSES) -> pd.DataFrame:
    """Read and check the whole file, all measures, with one of the responses at least.

    Raises as `read_curves_file` does.
    """
    raw = read_fields(path, (*REQUIRED, responses[0]))
    _check_columns(path, raw, responses)
    return checked(path, raw, lambda column: _texts(column) if column.name in TEXT else number(column), KEY)


def read_fields(path: Path, needed: Sequence[str]) -> pd.DataFrame:
    """Return the fields of a CSV file as text without blank lines, or those of a Parquet file with its numbers.

    A row's line in a CSV file is its index + 2.

    Args:
        path: the file.
        needed: columns to name where the file is empty.

    Raises:
        InputError: the file cannot be read, is empty or is no CSV file.

    """
    if is_parquet(path):
        found = parquet_fields(path)
        found.attrs[PLACES] = ("row", 1)
        return found
    try:
        raw = _read(path)
    except FileNotFoundError:
        raise InputError(f"no file {path}") from None
    except pd.errors.EmptyDataError:
        raise InputError(f"{path} is empty: its first line must name the columns {', '.join(needed)}") from None
    except pd.errors.ParserWarning:
        raise InputError(f"{path}, line 2: more values than line 1 names columns") from None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no CSV file: {str(error)[:MOST_TEXT]}") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    raw.columns = raw.columns.str.strip()
    raw = raw.apply(lambda column: column.str.strip())
    written: pd.DataFrame = raw[~(raw == "").all(axis=1)]  # blank lines
    return written


def _read(path: Path) -> pd.DataFrame:
    """Return the file's fields as text, a row for each line after the first."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
            encoding="utf-8-sig",
            index_col=False,  # else a value too many in line 2 makes the first column an index
        )


def _check_columns(path: Path, raw: pd.DataFrame, responses: Sequence[str]) -> None:
    known = [*REQUIRED, *RESPONSES, *OPTIONAL]
    needed = next((name for name in responses if name in raw.columns), responses[0])
    for column in (*REQUIRED, needed):
        if column not in raw.columns:
            raise InputError(f"{names_of(path)}: no column {column!r}: {suggestion(column, list(raw.columns))}")
    for column in raw.columns:
        if column not in known:
            raise InputError(f"{names_of(path)}: unknown column {brief(column)}: {suggestion(column, known)}")


def checked(
    path: Path,
    raw: pd.DataFrame,
    read: Callable[[pd.Series[str]], tuple[pd.Series[Any], list[Wrong]]],
    key: Sequence[str],
) -> pd.DataFrame:
    """Return the columns as what they hold.

    Args:
        path: the file, for messages.
        raw: its fields, as `read_fields` returns them.
        read: returns what a column of fields holds, and which fields are wrong.
        key: columns that no two points have in common.

    Raises:
        InputError: there are no points, a field is wrong, or two points coincide; names lines and columns.

    """
    if raw.empty:
        raise InputError(f"{path} holds no points")
    columns: dict[str, pd.Series[Any]] = {}
    unit, first = raw.attrs.get(PLACES, ("line", 2))
    problems: list[tuple[int, str]] = []
    for column in raw.columns:
        columns[column], wrong = read(raw[column])
        problems += [
            (int(i) + first, f"column {column!r}: {what}, got {brief(raw[column][i])}")
            for bad, what in wrong
            for i in raw.index[bad.to_numpy()]
        ]
    frame = pd.DataFrame(columns, index=raw.index)
    if not problems:
        problems = _coinciding(frame, [name for name in key if name in frame.columns], unit, first)
    if problems:
        shown = "\n".join(f"  {unit} {line}, {what}" for line, what in sorted(problems)[:SHOWN])
        more = f"\n  and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise InputError(f"{path} holds values that cannot be used:\n{shown}{more}")
    for column in WHOLE:
        if column in frame:
            frame[column] = frame[column].astype("int64")
    return frame.reset_index(drop=True)


def _texts(fields: pd.Series[str]) -> tuple[pd.Series[str], list[Wrong]]:
    fields = fields.astype(str)
    return fields, [(~fields.str.fullmatch(NAME), "must be a name: letters, digits and _ . : -")]


def number(fields: pd.Series[str]) -> tuple[pd.Series[float], list[Wrong]]:
    """Return a column's numbers, NaN where there is none, and which fields are wrong, and why."""
    column = str(fields.name)
    if fields.dtype == "float64":  # of a Parquet file
        found = cast("pd.Series[float]", fields)
    else:
        plain = fields.where(fields.map(str.isascii), "")  # pandas raises on some other characters
        found = pd.to_numeric(plain, errors="coerce").astype("float64")
    finite: Any = pd.Series(np.isfinite(found.to_numpy()), index=fields.index)
    wrong: list[Wrong] = [(~finite, "must be a finite number")]
    if column in WHOLE:
        whole = (found == found.round()) & found.between(-LARGEST, LARGEST)
        wrong.append((finite & ~whole, "must be a whole number within +-2^53"))
        finite = finite & whole
    wrong += [(finite & bad, what) for bad, what in out_of_range(column, found)]
    return found, wrong


def _coinciding(frame: pd.DataFrame, key: list[str], unit: str, at: int) -> list[tuple[int, str]]:
    """Return the points that repeat an earlier one of the same curve."""
    line = pd.Series(frame.index + at, index=frame.index)
    original = integers(frame.assign(line=line.groupby([frame[c] for c in key]).transform("first")), "line")
    again = frame.duplicated(key).to_numpy()
    what = f"columns {', '.join(key)}: the same point as {unit}"
    return [(int(own), f"{what} {first}") for own, first in zip(line[again], original[again], strict=True)]
