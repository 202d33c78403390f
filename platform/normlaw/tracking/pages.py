"""Addresses of MLflow's pages."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Self

from normlaw.base.redaction import redacted

USUAL = "http://127.0.0.1:5000"
"""Where `mlflow ui` serves a store that no server has."""


@dataclass(frozen=True)
class Pages:
    """Where MLflow's pages show an experiment and its runs."""

    experiment: str
    """Address of the experiment's page."""
    command: str = ""
    """What serves the pages; empty where a server does."""

    @classmethod
    def of(cls, tracking_uri: str, experiment_id: str) -> Self:
        """Return the pages of an experiment at a server, or in a store that `mlflow ui` can serve.

        >>> Pages.of("http://host:5000/", "1").run("ab")
        'http://host:5000/#/experiments/1/runs/ab'
        >>> Pages.of("sqlite:////here/mlflow.db", "1").command
        'mlflow ui --backend-store-uri sqlite:////here/mlflow.db'

        """
        uri = redacted(tracking_uri)
        served = uri.startswith(("http://", "https://"))
        command = "" if served else shlex.join(["mlflow", "ui", "--backend-store-uri", uri])
        return cls(f"{(uri if served else USUAL).rstrip('/')}/#/experiments/{experiment_id}", command)

    def run(self, run_id: str) -> str:
        """Return the address of a run's page."""
        return f"{self.experiment}/runs/{run_id}"
