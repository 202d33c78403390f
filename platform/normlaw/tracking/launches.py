"""Launches as MLflow runs. The training runs that a launch began have its name in a tag."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Experiment, Metric, Param, Run
from mlflow.exceptions import MlflowException
from mlflow.tracking.context.registry import resolve_tags

from normlaw.base.redaction import first_line, redacted
from normlaw.study.home import journal_folder
from normlaw.tracking import keys
from normlaw.tracking.launch_file import LaunchRecord, is_over, launch_path, note_told, read_launch


class Launches:
    """The launches of a study, as the server has them and as the files of a home tell.

    Args:
        client: of the tracking server.
        experiment: the study's.
        home: folder of the journals.

    """

    def __init__(self, client: MlflowClient, experiment: Experiment, home: Path) -> None:
        self._client = client
        self._experiment = experiment
        self._home = home
        self._runs: dict[str, str] = {}
        self._server = redacted(f"{client.tracking_uri} {experiment.experiment_id}")

    def run_of(self, launch: str, *, new: bool = False) -> str | None:
        """Return the MLflow run of a launch, made on first use; None where its file is not in this home.

        Args:
            launch: its name.
            new: it has just begun, so that the server cannot have it yet.

        Raises:
            MlflowException: the server did not answer.

        """
        if launch not in self._runs:
            found = None if new else self._find(launch)
            record = read_launch(launch_path(self._home, self._experiment.name, launch))
            if found is None and record is None:
                return None
            if record is not None:
                found = found or self._make(launch, record)
                self._describe(found, record)
            assert found is not None
            self._runs[launch] = str(found.info.run_id)
        return self._runs[launch]

    def settle(self) -> None:
        """Tell the server how the launches ended that it still takes for running.

        A server that does not answer is told the next time.
        """
        for path in sorted(journal_folder(self._home, self._experiment.name).glob("*.launch")):
            record = read_launch(path)
            if record is None or self._server in record.told or not is_over(path):
                continue
            try:
                self._end(path.stem, record, path)
            except (MlflowException, OSError) as error:
                logging.getLogger(__name__).debug("not told how a launch ended: %s", first_line(error))
                return

    def _find(self, launch: str) -> Run | None:
        wanted = f"tags.`{keys.KIND}` = 'launch' and tags.`{keys.LAUNCH}` = '{launch}'"
        page = self._client.search_runs([self._experiment.experiment_id], filter_string=wanted, max_results=1)
        return page[0] if page else None

    def _make(self, launch: str, record: LaunchRecord) -> Run:
        tags = {**resolve_tags(), keys.KIND: "launch", keys.LAUNCH: launch, keys.NOTE: _note(launch)}
        return self._client.create_run(
            self._experiment.experiment_id,
            start_time=record.started,
            tags={key: redacted(value) for key, value in tags.items()},
            run_name=time.strftime("launch %Y-%m-%d %H:%M:%S", time.localtime(record.started / 1000)),
        )

    def _describe(self, run: Run, record: LaunchRecord) -> None:
        """Add the parameters that the server does not have: a kill may have come between a run and them."""
        missing = [Param(key, value) for key, value in record.about.items() if key not in run.data.params]
        if missing:
            self._client.log_batch(run.info.run_id, params=missing)

    def _end(self, launch: str, record: LaunchRecord, path: Path) -> None:
        run_id = self._runs.get(launch)
        if run_id is None and (found := self._find(launch)) is not None:
            self._describe(found, record)
            run_id = str(found.info.run_id)
        if run_id is not None:
            # a file's time can lie some milliseconds before that of the clock that gave the start
            ended = record.ended or max(record.started, int(path.stat().st_mtime * 1000))
            metrics = [Metric(name, value, ended, 0) for name, value in record.numbers.items()]
            if metrics:
                self._client.log_batch(run_id, metrics=metrics)
            self._client.set_terminated(run_id, record.status, end_time=ended)
        note_told(path, self._server)


def _note(launch: str) -> str:
    """Return what the page of a launch says first: how its runs are found."""
    wanted = f"tags.`{keys.KIND}` = 'training' and tags.`{keys.LAUNCH}` = '{launch}'"
    return f"The runs that this launch trained, in the list of the experiment:\n\n    {wanted}"
