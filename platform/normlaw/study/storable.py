"""What MLflow can keep of a run: whatever it cannot is refused before anything is trained."""

from __future__ import annotations

import json
import posixpath
import re

from normlaw.study.identity import measured_by
from normlaw.study.listed import MAX_PARAM_LENGTH, searchable
from normlaw.study.observed import AnySpec, ObservedSpec
from normlaw_registry.errors import brief

MAX_NAME, MAX_TAG, MAX_SOURCE = 250, 5000, 65_535
"""Characters of a parameter's or a metric's name, of a tag, of the description of a data set."""
MAX_METRIC = 100
"""Characters left for what a callback calls a number."""
NAMES = re.compile(r"[/\w.\- :]*")
"""What MLflow takes as the name of a parameter or a metric."""


def unstorable(spec: AnySpec) -> str | None:
    """Return what of a run MLflow would refuse, and why; None where it takes it all."""
    for name, value in searchable(spec).items():
        if not _is_a_name(name):
            return f"{brief(name)} cannot be the name of a parameter at MLflow"
        if (length := len(_text(value))) > MAX_PARAM_LENGTH:
            return f"`{name}` has {length} characters written out; MLflow stores {MAX_PARAM_LENGTH}"
    metrics = {measure.name: f"log_norm/{measure.name}" for measure in spec.measures}
    for callback in () if isinstance(spec, ObservedSpec) else spec.callbacks:
        metrics[callback.name] = f"callback/{callback.name}/{'x' * MAX_METRIC}"
    for component, metric in metrics.items():
        if not _is_a_name(metric):
            return f"{brief(component)}: its name is too long for a metric at MLflow"
    if len(json.dumps(measured_by(spec))) > MAX_TAG:
        return f"`measures` and `callbacks` take more than the {MAX_TAG} characters that MLflow stores"
    if isinstance(spec, ObservedSpec):
        return None
    if len(json.dumps(spec.dataset.params)) > MAX_SOURCE - MAX_NAME:
        return f"the parameters of `dataset` take more than the {MAX_SOURCE} characters that MLflow stores"
    return None


def _text(value: object) -> str:
    try:
        return str(value)
    except ValueError:  # a whole number of more digits than Python writes
        return "9" * (MAX_PARAM_LENGTH + 1)


def _is_a_name(name: str) -> bool:
    return (
        len(name) <= MAX_NAME
        and NAMES.fullmatch(name) is not None
        and posixpath.normpath(name) == name
        and not name.startswith(("/", ".."))
    )
