"""Write runs that are known whole, imported curves, exact ones and analyses, by a writer that may be killed.

A run counts once it is FINISHED, which it becomes last, when all of it is there. What an earlier attempt left
unfinished is gone on with where it agrees, and given up where it does not.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Experiment, Metric, Param, Run, RunTag
from mlflow.tracking.context.registry import resolve_tags

from normlaw.study.listed import named_now
from normlaw.tracking import keys
from normlaw.tracking.client import artifacts_at
from normlaw.tracking.database import Database
from normlaw.tracking.reader import search_runs
from normlaw.tracking.whole_run import WholeRun
from normlaw.tracking.writer import batches

TOGETHER = 50
"""Runs that are written at once into a database; as many may be left unfinished by a kill."""
GIVEN_UP = "the run was not written to its end, and another MLflow run takes its place"


@dataclass
class Written:
    """What became of the runs."""

    logged: int = 0
    there: int = 0
    """Runs that were there already."""
    run_id: str = ""
    """Of the last one."""


class WholeRunWriter:
    """Writes runs of one kind into one experiment.

    Args:
        client: of the tracking server.
        experiment: the study's.
        kind: of the runs.
        series: whether a run takes the place of earlier ones of its name, as a newer analysis does. Then only
            the latest of a setting can be there already, and unfinished ones of its name that differ are given
            up.
        tag: the tag that holds the identity of the runs.

    """

    def __init__(
        self,
        client: MlflowClient,
        experiment: Experiment,
        kind: str,
        *,
        series: bool = False,
        tag: str = keys.SPEC_HASH,
    ) -> None:
        self._client, self._experiment, self._series, self._tag = client, experiment, series, tag
        self._database = Database.of(client, experiment)
        self._context: dict[str, str] = resolve_tags()
        self._finished: dict[str, Run] = {}
        self._begun: defaultdict[str, list[Run]] = defaultdict(list)
        for run in search_runs(client, experiment, kind):  # oldest first
            name = str(run.info.run_name) if series else run.data.tags.get(tag, "")
            if run.info.status == "FINISHED":
                self._finished[run.data.tags.get(keys.SETTING, name) if series else name] = run
            elif keys.SUPERSEDED not in run.data.tags:
                self._begun[name].append(run)

    def write(self, runs: Iterable[WholeRun]) -> Written:
        """Write the runs that are not there; return what became of them all.

        Raises:
            MlflowException: the server did not take one. Writing them again goes on from there.

        """
        written = Written()
        fresh: list[WholeRun] = []
        for run in runs:
            done, begun = self._look_up(run)
            if done is not None:
                written.there += 1
                written.run_id = str(done.info.run_id)
                continue
            written.logged += 1
            if begun is not None or self._database is None:
                written.run_id = self._send(run, begun)
                continue
            fresh.append(run)
            if len(fresh) == TOGETHER:
                written.run_id = self._database.insert(fresh, self._context)[-1]
                fresh = []
        if fresh and self._database is not None:
            written.run_id = self._database.insert(fresh, self._context)[-1]
        return written

    def _look_up(self, run: WholeRun) -> tuple[Run | None, Run | None]:
        """Return the finished MLflow run of a run, or an unfinished one to go on with; give up the others."""
        key = run.name if self._series else run.identity
        done = self._finished.get(run.more_tags.get(keys.SETTING, key) if self._series else key)
        if done is not None and done.data.tags.get(self._tag) != run.identity:
            done = None
        chosen = None
        for begun in self._begun.pop(key, []):
            if done is None and chosen is None and self._agrees(begun, run):
                chosen = begun
            else:
                self._client.set_tag(begun.info.run_id, keys.SUPERSEDED, GIVEN_UP)
                self._client.set_terminated(begun.info.run_id, "KILLED")
        return done, chosen

    def _agrees(self, begun: Run, run: WholeRun) -> bool:
        """Return whether all that the server has of an unfinished run belongs to a run."""
        if begun.data.tags.get(self._tag) != run.identity:
            return False
        mine = set(run.finite)
        return named_now(begun.data.params).items() <= named_now(run.params).items() and all(
            (name, metric.step, metric.value) in mine
            for name in begun.data.metrics
            for metric in self._client.get_metric_history(begun.info.run_id, name)
        )

    def _send(self, run: WholeRun, begun: Run | None) -> str:
        """Write a run by requests, which change nothing when they are repeated; return its id."""
        if begun is None:
            begun = self._client.create_run(
                self._experiment.experiment_id,
                start_time=int(time.time() * 1000),
                tags={**self._context, **run.tags},
                run_name=run.name,
            )
        run_id, when = str(begun.info.run_id), begun.info.start_time
        metrics = [Metric(name, value, when, step) for name, step, value in run.finite]
        params = [Param(key, value) for key, value in run.params.items()]
        tags = [RunTag(key, value) for key, value in run.noted(run_id).items()]
        for some_metrics, some_params in list(batches(metrics, params)) or [([], [])]:
            self._client.log_batch(run_id, metrics=some_metrics, params=some_params, tags=tags)
            tags = []
        with tempfile.TemporaryDirectory() as folder:
            run.write_files(Path(folder))
            artifacts_at(self._client, begun.info.artifact_uri).log_artifacts(folder)  # type: ignore[no-untyped-call]
        self._client.set_terminated(run_id)
        return run_id
