"""Which runs another one has taken the place of, and which of these an analysis keeps."""

from __future__ import annotations

from typing import Any

from normlaw.tracking.study_run import StudyRun
from normlaw.tracking.superseded import superseded


def run(run_id: str, start: int, **more: Any) -> StudyRun:
    """Return a run that began at `start` and ended at once, unless something else is said."""
    known: dict[str, Any] = {
        "run_id": run_id,
        "spec_hash": "a",
        "name": run_id,
        "kind": "training",
        "status": "FINISHED",
        "start_time": start,
        "params": {"train_size": "10"},
        "metrics": {},
        "measures": {"one": {}},
        "exactness": {},
        "setting": None,
        "norm": "",
        "artifacts": "",
        "end_time": start,
    }
    return StudyRun(**{**known, **more})


def analysis(run_id: str, start: int, **more: Any) -> StudyRun:
    known: dict[str, Any] = {"kind": "analysis", "params": {"norm": "one"}, "norm": "one", "setting": "all"}
    return run(run_id, start, **{**known, "name": "laws", **more})


def found(curves: list[StudyRun], analyses: list[StudyRun] | None = None) -> dict[str, tuple[str, str]]:
    """Return of each superseded run what took its place, and what it is kept for."""
    return {one.run.run_id: (one.by, one.used_by) for one in superseded("s", curves, analyses or [])}


def test_a_run_done_again_and_failed_attempts_at_it() -> None:
    curves = [
        run("killed", 1, status="KILLED"),
        run("first", 2),
        run("failed", 3, status="FAILED"),
        run("again", 4),
        run("more", 5, measures={"one": {}, "two": {}}),
        run("training", 6, status="RUNNING", end_time=None),
        run("other", 7, params={"train_size": "20"}, status="FAILED"),
        run("imported", 8, kind="imported"),
    ]
    assert found(curves) == dict.fromkeys(("killed", "first", "failed", "again"), ("more", ""))


def test_a_run_with_a_measure_of_its_own_stays() -> None:
    assert found([run("a", 1, measures={"two": {}}), run("b", 2, measures={"one": {}, "three": {}})]) == {}
    params = {"one": {"power": 1}}
    assert found([run("a", 1, measures={"one": {"power": 2}}), run("b", 2, measures=params)]) == {}


def test_of_runs_that_measured_the_same_the_first_stays() -> None:
    """It is the one that analyses take."""
    assert found([run("a", 1), run("b", 2)]) == {"b": ("a", "")}


def test_what_an_analysis_used_is_kept_until_that_is_made_again() -> None:
    first = run("first", 1)
    more = run("more", 5, measures={"one": {}, "two": {}})
    before = analysis("before", 3)
    assert found([first, more], [before]) == {"first": ("more", "laws of 1970-01-01")}
    after = analysis("after", 7)
    assert found([first, more], [before, after]) == {"before": ("after", ""), "first": ("more", "")}
    failed = analysis("failed", 3, status="FAILED")
    assert found([first, more], [failed]) == {"first": ("more", "")}


def test_analyses_with_other_choices_are_no_twins() -> None:
    others = [
        analysis("a", 1),
        analysis("b", 2, params={"norm": "one", "protocol.draws": "3"}),
        analysis("c", 3, params={"norm": "one", "from_norm": "2.0"}),
        analysis("d", 4, params={"norm": "two"}, norm="two"),
        analysis("e", 5, name="laws x=1"),
    ]
    assert found([], others) == {}
    twin = analysis("f", 6, params={"norm": "one", "verdict": "hold", "train_size": "3"})
    assert found([], [*others, twin]) == {"a": ("f", "")}


def test_an_analysis_that_fitted_outlives_one_that_did_not() -> None:
    fitted, unfitted = analysis("a", 1), analysis("b", 2, name="laws: not fitted", setting=None)
    assert found([], [fitted, unfitted]) == {}
    assert found([], [unfitted, fitted]) == {"b": ("a", "")}
    assert found([], [unfitted, analysis("c", 3, name="laws: not fitted", setting=None)]) == {"b": ("c", "")}
