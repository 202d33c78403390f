"""Open an experiment, which is made on first use."""

from __future__ import annotations

from collections.abc import Mapping

from mlflow import MlflowClient
from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException

from normlaw.tracking import keys
from normlaw.tracking.view import saved_view
from normlaw_registry import InputError


def opened(client: MlflowClient, study: str, tags: Mapping[str, str]) -> Experiment:
    """Return the experiment of a study; where there is none yet, it is made with these tags, and with its view.

    Several processes may do so at once: one of them makes it, and all get the same.

    Raises:
        InputError: the experiment was deleted at the server.

    """
    experiment = client.get_experiment_by_name(study)
    if experiment is None:
        try:
            shown = saved_view(tags[keys.NORM]) if keys.NORM in tags else {}
            return client.get_experiment(client.create_experiment(study, tags={**tags, **shown}))
        except MlflowException:
            experiment = client.get_experiment_by_name(study)
            if experiment is None:
                raise
            # another process has made it meanwhile
    if experiment.lifecycle_stage != "active":
        raise InputError(
            f"study {study!r} was deleted at this MLflow server: restore it "
            f"(`mlflow experiments restore --experiment-id {experiment.experiment_id}`) or rename the study"
        )
    return experiment
