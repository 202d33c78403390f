"""Which training runs at MLflow are one and the same, whichever version sent them, and what they measured."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mlflow.entities import Run

from normlaw.study.identity import Measures, lacking, measured_by
from normlaw.study.listed import MEASURES
from normlaw.study.observed import AnySpec
from normlaw.tracking import keys


def schema_of(run: Run) -> int:
    """Return the schema number of a training run's identity."""
    number = run.data.tags.get(keys.SCHEMA, "1")
    return int(number) if number.isdigit() else 1


def measured_in(run: Run) -> Measures:
    """Return what was measured in a run; the parameters are None where only names are known."""
    return measures_of(run.data.tags, run.data.params)


def measures_of(tags: Mapping[str, str], params: Mapping[str, str]) -> Measures:
    """Return what was measured in a run of these tags and parameters."""
    try:
        noted = json.loads(tags.get(keys.MEASURES, ""))
        if isinstance(noted, dict):
            return noted
    except ValueError:
        pass
    return dict.fromkeys(filter(None, params.get(MEASURES, "").split(",")))


def measures_the_same(run: Run, spec: AnySpec) -> bool:
    """Return whether a run measures what a specification says, neither more nor less."""
    wanted, there = measured_by(spec), measured_in(run)
    return wanted.keys() == there.keys() and not lacking(wanted, there)
