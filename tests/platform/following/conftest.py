from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from normlaw.study.home import journal_path, keep_study
from normlaw.study.study import Study
from normlaw.tracking.journal import Journal
from normlaw_registry import load_catalogue

STUDY: dict[str, Any] = {
    "name": "small",
    "fixed": {
        "architecture": "perceptron",
        "dataset": {"name": "teacher_student", "params": {"dimension": 8, "test_size": 10}},
        "steps": 100,
        "measures": ["weight_norm"],
    },
    "vary": {"train_size": [8, 16], "seed": [0, 1, 2]},
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home in which the study `small`, of six runs, was begun."""
    keep_study(tmp_path, Study.model_validate(STUDY))
    return tmp_path


@pytest.fixture
def begin(home: Path) -> Callable[..., Journal]:
    """Return a function that opens the journal of the study's run of a number, with points at these steps."""
    from normlaw.study.expansion import expand

    specs = expand(Study.model_validate(STUDY), load_catalogue())

    def open_journal(number: int, *steps: int, worker: str = "here 1", launch: str = "") -> Journal:
        spec = specs[number]
        journal = Journal(journal_path(home, "small", spec.spec_hash))
        journal.start(spec, {"launch": launch})
        journal.worker(worker)
        for step in steps:
            journal.point({"step": float(step), "test/error": 0.5, "log_norm/weight_norm": 1.25})
        return journal

    return open_journal
