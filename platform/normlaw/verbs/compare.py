"""`normlaw compare`: do two studies, or two settings of one, have different exponents?"""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING

from normlaw.study.study import Study
from normlaw.verbs.load_study import name_of
from normlaw_registry import InputError
from normlaw_registry.errors import brief, suggestion

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.differences import Known

ANALYSE = "`normlaw analyse STUDY` makes one"


def compare(
    first: str | Study,
    second: str | Study | None = None,
    *,
    confidence: float = 0.95,
    tracking_uri: str | None = None,
) -> pd.DataFrame:
    """Compare the exponents of latest analyses at MLflow; `normlaw compare`.

    Args:
        first: a study or its name, or one of its settings as `results` lists it, such as
            'mine optimizer.weight_decay=0.1'. Of a study with several settings all are meant.
        second: what the first is held against; None: all settings of the first are held against each other.
        confidence: level of the confidence limits.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Returns:
        A row a pair and exponent; columns first, second, exponent, value_1, stderr_1, value_2, stderr_2,
        difference (first less second), stderr, low, high, z, freedom, p (two-sided, Student's t), p_holm (for
        all pairs of one exponent together), runs_shared. Runs that both have count for the error of the
        difference: see `normlaw.analysis.differences`.

    Raises:
        InputError: no server, no such study or setting, no analysis of it, or nothing to compare it with.

    """
    return compared(first, second, confidence=confidence, tracking_uri=tracking_uri)[0]


def compared(
    first: str | Study, second: str | Study | None, *, confidence: float, tracking_uri: str | None
) -> tuple[pd.DataFrame, list[Known]]:
    """Return what `compare` does, and the analyses; arguments and errors as `compare` has them."""
    from normlaw.analysis.differences import differences

    if not 0.5 <= confidence <= 1 - 1e-9:
        raise InputError(f"confidence must lie in [0.5, 1), 1e-9 below 1 at most, got {confidence:g}")
    one = _known(name_of(first), tracking_uri)
    two = None if second is None else _known(name_of(second), tracking_uri)
    if two is None and len(one) < 2:
        raise InputError(f"{one[0].name!r} has one setting that was analysed: name what it is compared with")
    if two is not None and {each.name for each in one} & {each.name for each in two}:
        raise InputError(
            f"{brief(name_of(first))} and {brief(name_of(second or ''))} have an analysis in common: "
            "name two that differ"
        )
    return differences(one, two, confidence), [*one, *(two or [])]


def _known(name: str, tracking_uri: str | None) -> list[Known]:
    """Return what is known of a study's latest analyses, or of the one of a setting."""
    from normlaw.analysis.differences import Known
    from normlaw.analysis.writing import MARK
    from normlaw.tracking.store import StudyStore

    store = StudyStore.open(name.partition(" ")[0], tracking_uri)
    latest = store.latest_analyses()
    if not latest:
        raise InputError(f"no analysis of {store.name!r} yet: {ANALYSE}")
    if name in latest:
        latest = {name: latest[name]}
    elif name != store.name:
        raise InputError(f"no analysis {brief(name)}: {suggestion(name, list(latest))} ({ANALYSE})")
    found = []
    for each, run in latest.items():
        results = json.loads(store.artifact(run, MARK) or "")
        response = results.get("response") or {}  # of a version that knew one response alone
        optima = _table(store.artifact(run, "tables/optima.csv"))
        influence = store.artifact(run, "tables/influence.csv", optional=True)
        found.append(
            Known(
                name=each,
                norm=run.norm,
                response=f"{response.get('quantity', 'test_error')} less {response.get('floor', 0.0):g}",
                protocol=str(results.get("protocol", "")),
                confidence=float(results["confidence"]),
                estimates=results["estimates"],
                runs=frozenset(optima["run"]),
                influence=None if influence is None else _table(influence).set_index("run"),
            )
        )
    return found


def _table(text: str | None) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(StringIO(text or ""), dtype={"run": str})
