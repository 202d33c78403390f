"""A study from which finished runs are copied: at an MLflow server here, or in an archive elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from mlflow import MlflowClient
from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException

from normlaw.tracking import keys
from normlaw.tracking.reader import THREADS, fetched, search_runs
from normlaw.tracking.study_run import Kind, StudyRun, finished

KINDS: tuple[Kind, ...] = ("training", "imported", "theory")
"""Runs that have a curve."""
TOGETHER = 50
"""Runs whose curves are in memory at once."""


@dataclass(frozen=True)
class Fetched:
    """A run with its curve."""

    run: StudyRun
    table: pa.Table
    """A row a measuring point."""
    description: bytes | None
    """What `keys.RUN` holds, of a training run."""


class Origin(Protocol):
    """Where runs are copied from."""

    name: str
    """The study's."""
    tags: Mapping[str, str]
    """The study's, `keys.OF_A_STUDY`."""

    def finished(self, kind: Kind) -> list[StudyRun]:
        """Return one finished run for each that there is, oldest first."""

    def fetch(self, runs: Iterable[StudyRun]) -> Iterator[Fetched]:
        """Yield runs with their curves, in order, few at a time."""


class StoreOrigin:
    """A study at an MLflow server.

    Args:
        client: of the server.
        experiment: the study's.

    """

    def __init__(self, client: MlflowClient, experiment: Experiment) -> None:
        self._client, self._experiment = client, experiment
        self.name = str(experiment.name)
        self.tags: Mapping[str, str] = {
            key: experiment.tags[key] for key in keys.OF_A_STUDY if key in experiment.tags
        }

    def finished(self, kind: Kind) -> list[StudyRun]:
        """Return one finished run for each that there is, oldest first."""
        norm = self.tags.get(keys.NORM)
        return finished(map(StudyRun.of, search_runs(self._client, self._experiment, kind)), norm)

    def fetch(self, runs: Iterable[StudyRun]) -> Iterator[Fetched]:
        """Yield runs with their curves, in order, few at a time.

        Raises:
            MlflowException: the server is away, or a curve is gone.

        """
        waiting = iter(runs)
        with ThreadPoolExecutor(THREADS) as pool:
            while some := list(islice(waiting, TOGETHER)):
                yield from pool.map(self._fetch, some)

    def _fetch(self, run: StudyRun) -> Fetched:
        description = None
        with fetched(self._client, run.artifacts, keys.CURVE) as path, pq.ParquetFile(path) as file:
            table = file.read(use_threads=False)
        if run.kind == "training":
            with (
                suppress(MlflowException, OSError),  # a run of an early version may have none
                fetched(self._client, run.artifacts, keys.RUN) as path,
            ):
                description = path.read_bytes()
        return Fetched(run, table, description)
