"""What MLflow holds of a study, typed: runs, curves and findings, and where analyses are logged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Self

import pandas as pd
import pyarrow as pa
from mlflow import MlflowClient
from mlflow.entities import Experiment

from normlaw.study.protocol_choice import OwnChoices
from normlaw.tracking import keys, note, optimum, reader
from normlaw.tracking.analysis_log import LoggedAnalysis, log_analysis
from normlaw.tracking.client import Purpose, artifacts_at, connect
from normlaw.tracking.logged_runs import is_normlaws
from normlaw.tracking.pages import Pages
from normlaw.tracking.settings import with_theory
from normlaw.tracking.study_run import Kind, StudyRun, finished
from normlaw.tracking.superseded import Superseded, superseded
from normlaw_registry import InputError

Group = tuple[dict[str, str], list[StudyRun]]
"""Runs whose curves one law describes, with the parameters that tell them from the study's others."""


def groups_of(study: str, measured: Sequence[StudyRun], exact: Sequence[StudyRun]) -> list[Group]:
    """Return the finished runs of each setting, theory's apart.

    Raises:
        InputError: there are none.

    """
    groups = with_theory(measured, exact)
    if not groups:
        raise InputError(f"study {study!r} has no finished runs yet: `normlaw run {study}` trains them")
    return groups


class StudyStore:
    """One study at an MLflow server. Needs neither the study's file nor the folder where it ran.

    Attributes:
        name: the study's.
        norm: the measure that its laws are read in, if it says so.
        choices: what it says about its analysis.

    """

    def __init__(self, client: MlflowClient, experiment: Experiment) -> None:
        self._client, self._experiment = client, experiment
        self.name = str(experiment.name)
        self.norm: str | None = experiment.tags.get(keys.NORM)
        self._kept: dict[str, pa.Table] | None = None
        self._found: dict[Kind, list[StudyRun]] | None = None

    @classmethod
    def open(cls, study: str, tracking_uri: str | None, purpose: Purpose = "read") -> Self:
        """Return a study's store.

        Args:
            study: its name.
            tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.
            purpose: `add` where something is to be logged.

        Raises:
            InputError: no server answers, or it has no study of that name; names the nearest.

        """
        client = connect(tracking_uri, purpose)
        return cls(client, reader.find_experiment(client, study))

    @classmethod
    def every(cls, studies: Sequence[str], tracking_uri: str | None) -> list[Self]:
        """Return the stores of studies, or of all at the server where none is named; raises as `open`."""
        client = connect(tracking_uri, "read")
        if studies:
            return [cls(client, reader.find_experiment(client, study)) for study in studies]
        return [cls(client, experiment) for experiment in client.search_experiments()]

    @property
    def is_study(self) -> bool:
        """Whether normlaw has logged anything to the experiment."""
        return self.norm is not None or is_normlaws(self._client, self._experiment)

    @property
    def choices(self) -> OwnChoices | None:
        """What the study says about its analysis; None: nothing.

        Raises:
            InputError: it cannot be read.

        """
        return keys.read_analysis_tag(self._experiment.tags)

    @property
    def choices_text(self) -> str | None:
        """The same as it is stored, for `keys.read_analysis_tag`."""
        text: str | None = self._experiment.tags.get(keys.ANALYSIS)
        return text

    def runs(self, *kinds: Kind) -> Iterator[StudyRun]:
        """Yield the runs of these kinds, kind by kind, oldest first."""
        for kind in kinds:
            if self._found is None:
                yield from self._searched(kind)
                continue
            if kind not in self._found:
                self._found[kind] = list(self._searched(kind))
            yield from self._found[kind]

    def _searched(self, kind: Kind) -> Iterator[StudyRun]:
        return map(StudyRun.of, reader.search_runs(self._client, self._experiment, kind))

    def keep_runs(self) -> None:
        """Search for the runs of each kind once from now on, for one who asks again and again for the same."""
        self._found = {}

    def launches(self) -> dict[str, Mapping[str, str]]:
        """Return what each launch was told, by its name: device, max_parallel and the like."""
        found = reader.search_runs(self._client, self._experiment, "launch")
        return {run.data.tags.get(keys.LAUNCH, ""): dict(run.data.params) for run in found}

    def finished(self, *kinds: Kind, norm: str | None = None) -> list[StudyRun]:
        """Return one finished run for each that there is; see `study_run.finished`."""
        return finished(self.runs(*kinds), norm)

    def groups(self, norm: str | None) -> list[Group]:
        """Return the finished runs of each setting, theory's apart, with the norm measured in them.

        Raises:
            InputError: there are none.

        """
        return groups_of(self.name, self.finished("training", "imported", norm=norm), self.finished("theory"))

    def curves(self, runs: Sequence[StudyRun]) -> pd.DataFrame:
        """Return the curves of finished runs below each other, a row a measuring point; see `reader`."""
        return reader.read_curves(self._client, runs, self._kept)

    def keep_curves(self) -> None:
        """Read each curve once from now on, for whoever needs them twice: by setting, and all of them."""
        self._kept = {}

    def layers(self, run: StudyRun) -> list[dict[str, Any]]:
        """Return what each layer contributed to a trained run's measures, at both ends of its curve."""
        return reader.read_layers(self._client, run)

    def spectra(self, run: StudyRun) -> pd.DataFrame:
        """Return the singular values that a trained run measured; see `reader.read_spectra`."""
        return reader.read_spectra(self._client, run)

    def specification(self, run: StudyRun) -> dict[str, Any] | None:
        """Return what a trained run is, as it was written down; None where it was not."""
        spec: dict[str, Any] | None = reader.read_description(self._client, run.artifacts).get("spec")
        return spec

    def findings(self, file: str) -> dict[str, dict[str, Any]]:
        """Return the last finished analysis of each setting, by the study's name and the setting.

        Args:
            file: the artifact that holds, as JSON, what an analysis found.

        Returns:
            For each what the file holds, and `norm`.

        """
        return {
            name: {**json.loads(self.artifact(run, file) or ""), "norm": run.norm}
            for name, run in self.latest_analyses().items()
        }

    def latest_analyses(self) -> dict[str, StudyRun]:
        """Return the run of the last finished analysis of each setting, by the study's name and the setting."""
        latest: dict[str, StudyRun] = {}
        for run in self.runs("analysis"):  # oldest first
            if run.status == "FINISHED" and run.setting is not None:  # a comparison with theory has no setting
                whole = run.setting == keys.WHOLE_STUDY
                latest[self.name if whole else f"{self.name} {run.setting}"] = run
        return latest

    def artifact(self, run: StudyRun, file: str, *, optional: bool = False) -> str | None:
        """Return the text of an artifact of a run; None where it has none and need not have it."""
        folder, _, name = file.rpartition("/")
        if optional:
            listed = artifacts_at(self._client, run.artifacts).list_artifacts(folder or None)
            if name not in {PurePosixPath(one.path).name for one in listed}:
                return None
        with reader.fetched(self._client, run.artifacts, file) as path:
            return path.read_text(encoding="utf-8")

    def superseded(self) -> list[Superseded]:
        """Return the runs that another one has taken the place of; see `superseded`."""
        curves = list(self.runs("training", "imported", "theory"))
        return superseded(self.name, curves, list(self.runs("analysis")))

    def delete(self, found: Superseded) -> None:
        """Delete a superseded run as MLflow does: it can be restored until `mlflow gc` removes it for good."""
        self._client.set_tag(found.run.run_id, keys.CLEANED, found.reason)
        self._client.delete_run(found.run.run_id)

    def pages(self, at: str = "") -> Pages:
        """Return where MLflow's pages show the study.

        Args:
            at: where a browser finds them, if that is not the address that the client has.

        """
        return Pages.of(at or self._client.tracking_uri, self._experiment.experiment_id)

    def log_analysis(self, analysis: LoggedAnalysis) -> str:
        """Log an analysis and return its run's id; see `analysis_log.log_analysis`."""
        return log_analysis(self._client, self._experiment, analysis)

    def show_laws(self, table: Sequence[str], figures: Sequence[str]) -> None:
        """Put the laws on the study's page; see `note.show_laws`."""
        note.show_laws(self._client, self._experiment, table, figures)

    def show_optima(self, runs: Iterable[StudyRun], curves: pd.DataFrame) -> None:
        """Set the optima of training runs to those of the analysed curves; see `optimum.show_optima`."""
        optimum.show_optima(self._client, runs, curves)
