"""What MLflow has finished of a study's runs, sent by this version or an earlier one; see stored.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from normlaw.study.identity import SCHEMA, Measures, hash_of, measured_by
from normlaw.study.listed import listing, settled
from normlaw.study.spec import RunSpec
from normlaw.tracking import keys
from normlaw.tracking.leftovers import AtServer
from normlaw.tracking.reader import read_description
from normlaw.tracking.same import measured_in, schema_of
from normlaw.tracking.stored import Stored
from normlaw_registry import InputError


def finished_at_server(
    client: MlflowClient, server: AtServer, specs: Mapping[str, RunSpec]
) -> dict[str, list[Stored]]:
    """Return what MLflow has finished of these runs, by their hashes.

    Raises:
        InputError: some were sent by a newer version, which may have trained them already.

    """
    alike = {settled(listing(spec)): spec_hash for spec_hash, spec in specs.items()} if server.mixed else {}
    found: defaultdict[str, list[Stored]] = defaultdict(list)
    for tag, runs in server.runs.items():
        for run in runs:
            if (schema := schema_of(run)) > SCHEMA:
                raise InputError(
                    f"MLflow has runs of this study that a newer normlaw sent (schema {schema}; this one knows "
                    f"{SCHEMA}), and may have them all: upgrade normlaw here, or rename the study"
                )
            spec_hash = tag if schema == SCHEMA else alike.get(settled(run.data.params), "")
            if run.info.status == "FINISHED" and (spec := specs.get(spec_hash)) is not None:
                measures = measured_in(run) if schema == SCHEMA else _of_the_first(client, run, spec)
                found[spec_hash].append(Stored(tag, "finished", measures, run.data.params))
    return dict(found)


def _of_the_first(client: MlflowClient, run: Run, spec: RunSpec) -> Measures:
    """Return what a run of the first schema measured, whose hash covered that and all defaults."""
    written: dict[str, Any] = spec.model_dump(mode="json")
    if hash_of(written) == run.data.tags.get(keys.SPEC_HASH):
        return measured_by(spec)
    with suppress(MlflowException, OSError, ValueError, KeyError):
        return measured_by(RunSpec.model_validate(read_description(client, run.info.artifact_uri)["spec"]))
    return {}
