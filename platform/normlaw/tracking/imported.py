"""Log curves that were measured elsewhere as runs of kind `imported`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from mlflow import MlflowClient
from mlflow.entities import Experiment

from normlaw.tracking import keys
from normlaw.tracking.experiment import opened
from normlaw.tracking.sizes import TRAIN_SIZE, sizes
from normlaw.tracking.whole_run import Value, WholeRun
from normlaw.tracking.whole_writer import WholeRunWriter


def import_curves(
    client: MlflowClient, study: str, curves: pd.DataFrame, source: str, settings: Sequence[str] = ()
) -> tuple[int, int]:
    """Log each curve as one finished run of the study's experiment, made on first use.

    A curve that is already there, value for value, is left as it is: importing a file twice changes nothing,
    and importing it again after a kill adds what is missing.

    Args:
        client: of the tracking server.
        study: name of the experiment.
        curves: train_size, seed, step, test/error and log_norm/<measure> columns, perhaps further numbers.
        source: where the curves come from, kept as a parameter.
        settings: columns that are parameters, the same along a curve.

    Returns:
        How many curves were logged, and how many were already there.

    """
    writer = WholeRunWriter(client, _experiment(client, study, curves), "imported")
    written = writer.write(_runs(curves.drop(columns="run", errors="ignore"), source, list(settings)))
    return written.logged, written.there


def _experiment(client: MlflowClient, study: str, curves: pd.DataFrame) -> Experiment:
    prefix = keys.log_norm("")
    first = next(c for c in map(str, curves.columns) if c.startswith(prefix)).removeprefix(prefix)
    return opened(client, study, {keys.NORM: first, keys.NOTE: "Learning curves measured elsewhere."})


def _runs(curves: pd.DataFrame, source: str, settings: list[str]) -> Iterator[WholeRun]:
    """Yield the run of each curve, in the order of train sizes and seeds.

    Texts and tables are made of all curves at once and then cut: one by one they take most of an import's time.
    """
    apart = ["train_size", "seed", *settings]
    curves = curves.sort_values(apart, kind="stable", ignore_index=True)
    header = curves.head(0).to_csv(index=False)
    lines = curves.to_csv(index=False, header=False).splitlines(keepends=True)
    table = pa.Table.from_pandas(curves.drop(columns=settings), preserve_index=False)
    columns = {str(name): curves[name].tolist() for name in curves.columns}
    metrics = [name for name in columns if "/" in name]
    steps, which = columns["step"], list(zip(*(columns[name] for name in apart), strict=True))
    start = 0
    for stop in range(1, len(curves) + 1):
        if stop < len(curves) and which[stop] == which[start]:
            continue
        size, seed, *values = which[start]
        own = {name: str(value) for name, value in zip(settings, values, strict=True)}
        yield WholeRun(
            kind="imported",
            identity=hashlib.sha256((header + "".join(lines[start:stop])).encode()).hexdigest()[:16],
            name=" ".join([f"imported P={int(size)} seed={int(seed)}", *(f"{k}={v}" for k, v in own.items())]),
            params={**own, "train_size": str(int(size)), "seed": str(int(seed)), "source": source},
            values=[
                *sized(own, int(size)),
                *(
                    (name, int(step), float(value))
                    for name in metrics
                    for step, value in zip(steps[start:stop], columns[name][start:stop], strict=True)
                ),
            ],
            write_files=partial(_write, table.slice(start, stop - start)),
        )
        start = stop


def sized(settings: Mapping[str, str], train_size: int) -> list[Value]:
    """Return what a curve is compared by in size, as metrics."""
    return [(name, 0, x) for name, x in sizes({**settings, TRAIN_SIZE: str(train_size)}, settings).items()]


def _write(table: pa.Table, folder: Path) -> None:
    pq.write_table(table, folder / keys.CURVE)
