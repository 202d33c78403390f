"""Learning curves from a CSV file, with errors that name file, line and column."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from normlaw_registry import InputError
from normlaw_registry.curves.columns import integers
from normlaw_registry.errors import suggestion

REQUIRED = ("train_size", "log_norm", "test_error")
OPTIONAL = ("seed", "step", "alpha", "measure", "mean_log_optimal_norm")
TEXT = ("measure",)
WHOLE = ("train_size", "seed", "step")
DEFAULT_MEASURE = "norm"
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.: -]{0,199}"
"""What a measure may be called: what MLflow takes as part of a metric's name."""
LARGEST = 2**53
"""Above it a float64 does not tell neighbouring whole numbers apart."""
LARGEST_LOG = 1_000_000
"""Of a natural log of a norm: the squares and sums of fits stay exact, and no network has such a norm."""
SHOWN = 5
"""Problems listed in one message."""


def read_curves_file(path: Path, norm: str | None = None) -> tuple[pd.DataFrame, str]:
    """Read learning curves of one measure from a CSV file with a header line.

    Columns: train_size (examples), log_norm (natural log), test_error (fraction in [0, 1]); optionally seed,
    step, alpha, measure (name of the norm; several may share the file), mean_log_optimal_norm.

    Args:
        path: the file.
        norm: the measure to take; needed when the file holds several.

    Returns:
        The points of that measure, and its name ("norm" when the file names none).

    Raises:
        InputError: the file cannot be read, a column is missing or unknown, a value is no number or out of
            range, or two points coincide; names file, line and column.

    """
    frame = read_table(path)
    if "measure" not in frame.columns:
        if norm not in (None, DEFAULT_MEASURE):
            raise InputError(f"{path} has no column 'measure', so norm {norm!r} cannot be picked from it")
        return frame, DEFAULT_MEASURE
    measures = list(dict.fromkeys(frame["measure"]))
    if norm is None and len(measures) > 1:
        raise InputError(f"{path} holds several measures ({', '.join(measures)}): choose one with --norm")
    chosen = norm or measures[0]
    if chosen not in measures:
        raise InputError(f"{path} has no measure {chosen!r}: {suggestion(chosen, measures)}")
    return frame[frame["measure"] == chosen].drop(columns="measure").reset_index(drop=True), chosen


def read_table(path: Path) -> pd.DataFrame:
    """Read and check the whole file, all measures. Raises as `read_curves_file` does."""
    try:
        raw = _read(path)
    except FileNotFoundError:
        raise InputError(f"no file {path}") from None
    except pd.errors.EmptyDataError:
        raise InputError(
            f"{path} is empty: its first line must name the columns {', '.join(REQUIRED)}"
        ) from None
    except pd.errors.ParserWarning:
        raise InputError(f"{path}, line 2: more values than line 1 names columns") from None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no CSV file: {error}") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    raw.columns = raw.columns.str.strip()
    raw = raw.apply(lambda column: column.str.strip())
    _check_columns(path, raw)
    raw = raw[~(raw == "").all(axis=1)]  # blank lines
    if raw.empty:
        raise InputError(f"{path} holds no points")
    return _numbers(path, raw)


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


def _check_columns(path: Path, raw: pd.DataFrame) -> None:
    known = [*REQUIRED, *OPTIONAL]
    for column in REQUIRED:
        if column not in raw.columns:
            raise InputError(f"{path}, line 1: no column {column!r}: {suggestion(column, list(raw.columns))}")
    for column in raw.columns:
        if column not in known:
            raise InputError(f"{path}, line 1: unknown column {column!r}: {suggestion(column, known)}")


def _numbers(path: Path, raw: pd.DataFrame) -> pd.DataFrame:
    """Return the columns as numbers. A row's line in the file is its index + 2."""
    problems: list[tuple[int, str]] = []
    frame = pd.DataFrame(index=raw.index)

    def complain(bad: pd.Series[bool], column: str, what: str) -> None:
        problems.extend(
            (int(i) + 2, f"column {column!r}: {what}, got {raw[column][i]!r}")
            for i in raw.index[bad.to_numpy()]
        )

    for column in raw.columns:
        if column in TEXT:
            frame[column] = raw[column]
            complain(~raw[column].str.fullmatch(NAME), column, "must be a name: letters, digits and _ . : -")
            continue
        plain = raw[column].where(raw[column].map(str.isascii), "")  # pandas raises on some other characters
        number = pd.to_numeric(plain, errors="coerce")
        finite = pd.Series(np.isfinite(number.to_numpy(dtype=np.float64)), index=raw.index)
        complain(~finite, column, "must be a finite number")
        if column in WHOLE:
            whole = (number == number.round()) & number.between(-LARGEST, LARGEST)
            complain(finite & ~whole, column, "must be a whole number")
        if column in ("log_norm", "mean_log_optimal_norm"):
            complain(finite & (number.abs() > LARGEST_LOG), column, f"must lie within +-{LARGEST_LOG:,}")
        if column == "test_error":
            complain(finite & ~number.between(0, 1), column, "must be a fraction in [0, 1]")
        if column in ("train_size", "alpha"):
            complain(finite & (number <= 0), column, "must be positive")
        frame[column] = number
    if not problems:
        problems = _coinciding(frame)
    if problems:
        shown = "\n".join(f"  line {line}, {what}" for line, what in sorted(problems)[:SHOWN])
        more = f"\n  and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise InputError(f"{path} holds values that cannot be used:\n{shown}{more}")
    for column in WHOLE:
        if column in frame:
            frame[column] = frame[column].astype("int64")
    return frame.reset_index(drop=True)


def _coinciding(frame: pd.DataFrame) -> list[tuple[int, str]]:
    """Return the points that repeat an earlier one of the same curve."""
    key = [c for c in ("train_size", "seed", "measure", "step", "log_norm") if c in frame.columns]
    line = pd.Series(frame.index + 2, index=frame.index)
    original = integers(frame.assign(line=line.groupby([frame[c] for c in key]).transform("first")), "line")
    again = frame.duplicated(key).to_numpy()
    what = f"columns {', '.join(key)}: the same point as line"
    return [(int(own), f"{what} {first}") for own, first in zip(line[again], original[again], strict=True)]
