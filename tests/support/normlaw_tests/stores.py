"""MLflow's SQLite stores, made in no time: its tables are made once, and copied from then on."""

from __future__ import annotations

import inspect
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch


@contextmanager
def copied(template: Callable[[], Path]) -> Iterator[None]:
    """Have new stores of this process begin as a copy of a database without runs, while the block lasts.

    The template is asked for when one is needed, and is itself made `by_mlflow`. Which revision this MLflow
    writes, which it finds out by importing 70 files for each store that it opens, is asked once. Where nothing
    has imported MLflow yet, nothing is changed.
    """
    if "mlflow" not in sys.modules:
        yield
        return
    from mlflow.store.db import utils

    original: Callable[[Any], None] = utils._initialize_tables
    is_empty: Callable[[Any], bool] = utils._is_empty_database

    @wraps(original)
    def initialise(engine: Any) -> None:
        if engine.dialect.name != "sqlite" or not is_empty(engine):
            original(engine)
            return
        with closing(sqlite3.connect(template())) as source, closing(engine.raw_connection()) as target:
            source.backup(target.driver_connection)

    newest = cache(utils._get_latest_schema_revision)
    with (
        patch.object(utils, "_initialize_tables", initialise),
        patch.object(utils, "_get_latest_schema_revision", newest),
    ):
        yield


@contextmanager
def by_mlflow() -> Iterator[None]:
    """Have stores made by MLflow itself while the block lasts."""
    from mlflow.store.db import utils

    with patch.object(utils, "_initialize_tables", inspect.unwrap(utils._initialize_tables)):
        yield
