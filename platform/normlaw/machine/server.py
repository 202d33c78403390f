"""Whether MLflow can be reached."""

from __future__ import annotations

from normlaw.machine.finding import Finding
from normlaw_registry import InputError


def check(tracking_uri: str | None) -> list[Finding]:
    """Return what answers where results go."""
    from normlaw.tracking.health import reach

    try:
        where, theirs, ours = reach(tracking_uri)
    except InputError as error:
        message, _, advice = str(error).partition("\n")
        return [Finding("mlflow", "bad", message, advice or "start it, or give --offline to `normlaw run`")]
    if theirs is None:
        return [Finding("mlflow", "good", f"{where}, MLflow {ours}")]
    if theirs.split(".")[0] != ours.split(".")[0]:
        said = f"{where} runs MLflow {theirs}, this is {ours}"
        return [Finding("mlflow", "doubtful", said, "install the same major version on both sides")]
    return [Finding("mlflow", "good", f"{where} answers, MLflow {theirs}; {ours} here")]
