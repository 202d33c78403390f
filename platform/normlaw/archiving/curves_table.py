"""All curves of an archive as one Parquet file, run after run, written and read a few runs at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from normlaw.analysis.columns import plain
from normlaw.analysis.parquet_fields import MOST_COLUMNS
from normlaw.analysis.ranges import out_of_range
from normlaw_registry import InputError
from normlaw_registry.errors import brief

RUN = "run"
WHOLE = ("train_size", "seed", "step")
ROWS = 100_000
"""Rows that are in memory at once, and in a part of the file."""
MOST_GROUP = 2**30
"""Bytes of a part of the file, before it was packed."""


def write_curves(path: Path, curves: Iterable[tuple[str, pa.Table]]) -> list[int]:
    """Write runs' curves below each other, with a column `run`; return how many rows each has.

    Args:
        path: the file.
        curves: identities and tables, with the columns train_size, seed, step and numbers.

    """
    rows: list[int] = []
    names: dict[str, None] = {}
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        runs = []
        for run, table in curves:  # which columns there are is known once all runs have been seen
            kept = table.drop_columns([name for name in table.column_names if name == RUN])
            names |= dict.fromkeys(name for name in kept.column_names if name not in WHOLE)
            pq.write_table(kept, Path(folder, f"{len(rows)}.parquet"), compression="none")
            rows.append(len(kept))
            runs.append(run)
        schema = pa.schema(
            [
                (RUN, pa.string()),
                *((name, pa.int64()) for name in WHOLE),
                *((name, pa.float64()) for name in names),
            ]
        )
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            waiting: list[pa.Table] = []
            for at, run in enumerate(runs):
                waiting.append(_whole(pq.ParquetFile(Path(folder, f"{at}.parquet")).read(), run, schema))
                if sum(map(len, waiting)) >= ROWS:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting = []
            if waiting:
                writer.write_table(pa.concat_tables(waiting))
    return rows


def read_curves(
    path: Path, where: str, points: Iterable[tuple[str, int]], wanted: Callable[[int], bool]
) -> Iterator[tuple[int, pa.Table]]:
    """Yield the tables of the runs that are wanted, each with its number, in the order of the file.

    Args:
        path: the file.
        where: what messages call it.
        points: identity and rows of every run.
        wanted: whether the run of a number is.

    Raises:
        InputError: the file is damaged or too large, has other rows than the runs, or numbers that cannot be.

    """
    try:
        with pq.ParquetFile(path) as file:
            _check_schema(file, where)
            parts = _parts(file, where)
            held = next(parts, None)
            for number, (run, of_run) in enumerate(points):
                rows, pieces = of_run, []
                while rows > 0 and held is not None:
                    pieces.append(held.slice(0, rows))
                    rows -= len(pieces[-1])
                    held = held.slice(len(pieces[-1])) if len(pieces[-1]) < len(held) else next(parts, None)
                if rows or not pieces:
                    raise InputError(f"{where} has fewer rows than the runs")
                table = pa.concat_tables(pieces)
                if table.column(RUN).unique().to_pylist() != [run]:
                    raise InputError(f"{where}: rows of run {brief(run)} are not where they should be")
                if len(table.column("step").unique()) < len(table):
                    raise InputError(f"{where}: run {brief(run)} has two points at one step")
                if wanted(number):
                    empty = [n for n in table.column_names if table.column(n).null_count == len(table)]
                    yield number, table.drop_columns([RUN, *empty])
            if held is not None:
                raise InputError(f"{where} has more rows than the runs")
    except (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError) as error:
        raise InputError(f"{where} is no Parquet file, or is damaged: {str(error)[:200]}") from None


def _whole(table: pa.Table, run: str, schema: pa.Schema) -> pa.Table:
    columns = [
        pa.array([run] * len(table))
        if field.name == RUN
        else table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _check_schema(file: pq.ParquetFile, where: str) -> None:
    schema = file.schema_arrow
    if len(schema.names) > MOST_COLUMNS or len(set(schema.names)) < len(schema.names):
        raise InputError(f"{where}: too many columns, or two of one name")
    expected = {RUN: pa.string(), **dict.fromkeys(WHOLE, pa.int64())}
    for name in (*expected, *schema.names):
        kind = expected.get(name, pa.float64())
        found = schema.field(name).type if name in schema.names else None
        if found != kind and not (name == RUN and found == pa.large_string()):
            raise InputError(f"{where}: column {brief(name)} must be there and hold {kind}")


def _parts(file: pq.ParquetFile, where: str) -> Iterator[pa.Table]:
    for at in range(file.metadata.num_row_groups):
        about = file.metadata.row_group(at)
        if about.total_byte_size > MOST_GROUP or about.num_rows > 100 * ROWS:
            raise InputError(f"{where}: {about.total_byte_size:,} bytes in one part are too many")
        table = file.read_row_group(at)
        if len(table):
            _check_values(table, where)
            yield table


def _check_values(table: pa.Table, where: str) -> None:
    for name in WHOLE:
        if table.column(name).null_count:
            raise InputError(f"{where}, column {name!r}: a number is missing")
    for name in table.column_names:
        if name == RUN:
            continue
        numbers = pd.Series(table.column(name).to_numpy().astype(np.float64))
        for bad, what in out_of_range(plain(name), numbers.replace([np.inf, -np.inf], np.nan)):
            if bad.any():
                raise InputError(f"{where}, column {brief(name)}: {what}, got {numbers[bad].iloc[0]:g}")
