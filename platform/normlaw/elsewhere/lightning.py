"""What Lightning's `CSVLogger` has written: a folder a run, with `metrics.csv` and `hparams.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from normlaw.elsewhere.folders import folders_with, hparams_of, name_of, origin_of
from normlaw.elsewhere.logged import LoggedRun, Series
from normlaw_registry import InputError

FILE = "metrics.csv"
STEP = "step"


def lightning_runs(root: Path) -> Iterator[LoggedRun]:
    """Yield the runs of a folder, `lightning_logs` or one above or below it, in the order of their names.

    Raises:
        InputError: a file cannot be read, is no CSV file, or has no column `step`.

    """
    for folder, files in folders_with(root, FILE):
        for path in files:
            if path.name == FILE:
                yield LoggedRun(name_of(folder, root), origin_of(folder), hparams_of(folder), _series(path))


def _series(path: Path) -> dict[str, Series]:
    """Return each column over the steps at which it has a number; a row has those of one call alone."""
    try:
        table = pd.read_csv(path, index_col=False, encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no CSV file: {str(error)[:300]}") from None
    if STEP not in table.columns:
        raise InputError(f"{path}, line 1: no column {STEP!r}, which Lightning's CSVLogger writes")
    steps = pd.to_numeric(table[STEP], errors="coerce")
    whole = steps.notna() & (steps == steps.round()) & (steps.abs() < 2**53)
    found = {}
    for column in map(str, table.columns):
        values = pd.to_numeric(table[column], errors="coerce")
        there = whole & values.notna()
        if column != STEP and there.any():
            found[column] = Series.of(steps[there].astype("int64"), values[there].astype("float64"))
    return found
