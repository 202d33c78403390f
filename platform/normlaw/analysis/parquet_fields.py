"""A table of curves in Parquet, as the fields of a CSV file: what is checked of one is checked of both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from normlaw_registry import InputError
from normlaw_registry.errors import brief

MAGIC = b"PAR1"
"""How such a file begins."""
MOST_ROWS = 20_000_000
MOST_BYTES = 4 * 2**30
"""Of a table before it was compressed, as its own account says."""
MOST_COLUMNS = 10_000
LONGEST_TEXT = 1_000
"""Bytes of a text; a parameter has fewer."""


def is_parquet(path: Path) -> bool:
    """Return whether a file is one by its first bytes; of one that cannot be read, nothing is said."""
    if not path.is_file():  # reading a pipe would take its content away
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def names_of(path: Path) -> str:
    """Return what a message calls the place where a file names its columns."""
    return str(path) if is_parquet(path) else f"{path}, line 1"


def read_names(path: Path) -> list[str]:
    """Return the names of a table's columns; none where it cannot be read."""
    try:
        return list(pq.read_schema(path).names)
    except (OSError, pa.ArrowException):
        return []


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a table with texts as dictionaries, after its own account of its size has been looked at.

    Args:
        path: the file.
        columns: those to read; default: all.

    Raises:
        InputError: the file cannot be read, is damaged or too large, or two columns have one name.

    """
    try:
        with pq.ParquetFile(path) as file:
            about, schema = file.metadata, file.schema_arrow
            size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
            if about.num_rows > MOST_ROWS or size > MOST_BYTES or about.num_columns > MOST_COLUMNS:
                raise InputError(
                    f"{path} is too large: {about.num_rows:,} rows of {about.num_columns:,} columns, "
                    f"{size:,} bytes; {MOST_ROWS:,}, {MOST_COLUMNS:,} and {MOST_BYTES:,} are the most"
                )
            if doubled := next((name for name in schema.names if schema.names.count(name) > 1), None):
                raise InputError(f"{path}: two columns are called {brief(doubled)}")
        texts = [field.name for field in schema if _is_text(field.type)]
        table = pq.read_table(path, columns=columns, read_dictionary=texts, partitioning=None, filesystem=None)
    except FileNotFoundError:
        raise InputError(f"no file {path}") from None
    except (OSError, pa.ArrowException, MemoryError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no Parquet file, or is damaged: {str(error)[:300]}") from None
    return table


def parquet_fields(path: Path) -> pd.DataFrame:
    """Return a table's columns: numbers in float64, NaN where there is none; texts, empty where there is none.

    Raises:
        InputError: as `read_parquet`, or a column holds neither numbers nor texts; names it.

    """
    table = read_parquet(path)
    return pd.DataFrame({name: _fields(path, name, table.column(name)) for name in table.column_names})


def _fields(path: Path, name: str, column: pa.ChunkedArray) -> pd.Series[Any]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        if any(_longest(chunk.dictionary) > LONGEST_TEXT for chunk in column.chunks):
            raise InputError(f"{path}, column {brief(name)}: a text of over {LONGEST_TEXT} bytes")
        if _is_text(kind.value_type):
            return pd.Series([text or "" for text in column.to_pylist()], dtype=str)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return pd.Series(column.to_pandas(), dtype="float64")
    if pa.types.is_null(kind):
        return pd.Series([""] * len(column), dtype=str)
    raise InputError(f"{path}, column {brief(name)}: holds {kind}, not numbers or texts")


def _longest(texts: pa.Array) -> int:
    import pyarrow.compute as pc

    if not _is_text(texts.type):
        return 0
    return int(pc.max(pc.binary_length(texts)).as_py() or 0)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
