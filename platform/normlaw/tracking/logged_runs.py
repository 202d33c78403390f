"""The runs that anyone has logged to an experiment of MLflow, as what another program has logged."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run

from normlaw.elsewhere.curve import wanted
from normlaw.elsewhere.logged import LoggedRun, Series
from normlaw.elsewhere.taking import Taking
from normlaw.tracking import keys
from normlaw.tracking.reader import PAGE, THREADS
from normlaw_registry import InputError
from normlaw_registry.errors import brief, suggestion

TOGETHER = 64
"""Runs whose curves are fetched at once, and are in memory."""


class LoggedRuns:
    """The finished runs of an experiment, oldest first.

    Only those metrics are fetched whole that are taken; the others are there by name, so that a message can
    list them.

    Args:
        client: of the server.
        experiment: whose runs.
        taking: what is taken of them.

    Attributes:
        notes: what was left out, once all runs have been told.

    """

    def __init__(self, client: MlflowClient, experiment: Experiment, taking: Taking) -> None:
        self._client, self._experiment, self._taking = client, experiment, taking
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[LoggedRun]:
        """Yield the runs."""
        unfinished = 0
        token = None
        with ThreadPoolExecutor(THREADS) as pool:
            while True:
                page = self._client.search_runs(
                    [self._experiment.experiment_id],
                    max_results=PAGE,
                    order_by=["attributes.start_time ASC"],
                    page_token=token,
                )
                done = [run for run in page if run.info.status == "FINISHED"]
                unfinished += len(page) - len(done)
                for start in range(0, len(done), TOGETHER):
                    yield from pool.map(self._logged, done[start : start + TOGETHER])
                token = page.token
                if not token:
                    break
        if unfinished:
            self.notes.append(f"{unfinished} runs were left out: they are not finished")

    def _logged(self, run: Run) -> LoggedRun:
        needed = set(wanted(self._taking, list(run.data.metrics)).values())
        return LoggedRun(
            name=str(run.info.run_name),
            origin=str(run.info.run_id),
            params=dict(run.data.params),
            series={
                name: self._history(run.info.run_id, name) if name in needed else Series.of((), ())
                for name in run.data.metrics
            },
        )

    def _history(self, run_id: str, name: str) -> Series:
        found = self._client.get_metric_history(run_id, name)
        found.sort(key=lambda metric: metric.timestamp)  # of several at one step the last counts
        return Series.of((metric.step for metric in found), (metric.value for metric in found))


def is_normlaws(client: MlflowClient, experiment: Experiment) -> bool:
    """Return whether normlaw has logged curves to an experiment."""
    kinds = ("training", "imported", "theory")
    return any(
        client.search_runs(
            [experiment.experiment_id], filter_string=f"tags.`{keys.KIND}` = '{kind}'", max_results=1
        )
        for kind in kinds
    )


def experiment_called(client: MlflowClient, name: str, place: str) -> Experiment:
    """Return an experiment of any name.

    Raises:
        InputError: there is none.

    """
    experiment = client.get_experiment_by_name(name) if name.isprintable() else None
    if experiment is None or experiment.lifecycle_stage != "active":
        known = [e.name for e in client.search_experiments()]
        raise InputError(
            f"no experiment {brief(name)} at {place}: {suggestion(name, known)}; choose it with --experiment"
        )
    return experiment
