"""The note of an experiment: the study's description, users' edits, and the laws of the latest analysis."""

from __future__ import annotations

from typing import Any

import pytest
from mlflow import MlflowClient

from normlaw.tracking import note


@pytest.mark.slow  # the server takes as long to begin
def test_a_description_edited_by_hand_stays_and_laws_replace_laws(mlflow_server: Any) -> None:
    client = MlflowClient(mlflow_server.uri)
    made = client.create_experiment("noted", tags=note.first("First <b>words</b>."))

    def shown() -> str:
        return str(client.get_experiment(made).tags["mlflow.note.content"])

    assert shown() == "First &lt;b&gt;words&lt;/b&gt;."
    note.show_laws(client, client.get_experiment(made), ["old table"], [])
    note.describe(client, client.get_experiment(made), "Second words.")
    assert shown() == "Second words.\n\n## Laws\n\nold table"

    client.set_experiment_tag(made, "mlflow.note.content", shown().replace("Second", "My"))
    note.describe(client, client.get_experiment(made), "Second words.")
    figures = [note.image("f" * 32, "figures/a b.svg"), "x" * note.MAX_LENGTH, "small"]
    note.show_laws(client, client.get_experiment(made), ["new table"], figures)
    figure = f"![a b](get-artifact?path=figures%2Fa+b.svg&run_uuid={'f' * 32})"
    assert shown() == f"My words.\n\n## Laws\n\nnew table\n\n{figure}\n\nsmall"
