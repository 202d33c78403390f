"""What a worker imports until it has trained: each module costs every worker its time once more."""

from __future__ import annotations

import sys
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any

import pytest

from normlaw.execution.job import Job, Outcome
from normlaw.execution.process import Done, Failed, News, WorkerProcess
from normlaw.execution.worker import work
from normlaw.study.spec import RunSpec
from normlaw_registry import Catalogue

HEAVY = ("matplotlib", "mlflow", "numba", "pandas", "pyarrow", "sklearn", "statsmodels", "sympy", "torchvision")
"""Packages that training a small network on digits has no use for."""
COMPILER = ("torch._dynamo", "torch._inductor")


def train_and_tell(
    runs: list[RunSpec], job: Job, tell: Callable[[Any], None], stopped: Callable[[], bool]
) -> tuple[list[Outcome], set[str]]:
    """Train runs one after the other and return what has been imported then."""
    outcomes = [outcome for run in runs for outcome in work((run,), job, tell, stopped)]
    return outcomes, {name for name in sys.modules if name in (*HEAVY, *COMPILER, "torch", "scipy")}


def imported_by(runs: list[RunSpec], job: Job) -> set[str]:
    worker = WorkerProcess()
    try:
        given = False
        while True:
            wait(list(worker.handles))
            for message in worker.messages():
                if isinstance(message, Done):
                    outcomes, found = message.result
                    assert [outcome.failure for outcome in outcomes] == [None] * len(runs)
                    return set(found)
                assert not isinstance(message, Failed), message
                if not isinstance(message, News) and not given:
                    worker.give(train_and_tell, runs, job)
                    given = True
    finally:
        worker.kill()


@pytest.mark.slow
def test_a_worker_that_trains_on_digits_imports_nothing_that_it_has_no_use_for(
    spawned_workers: None, job: Job, catalogue: Catalogue
) -> None:
    tree = {
        "architecture": {"name": "mlp", "params": {"hidden": [8]}},
        "dataset": "digits",
        "train_size": 32,
        "seed": 0,
        "steps": 4,
        "measuring_points": 2,
        "measures": ["spectral_complexity", "weight_norm"],
    }
    convolutional = {"name": "cnn", "params": {"channels": [2], "hidden": [4]}}
    changes: list[dict[str, Any]] = [{}, {"optimizer": {"name": "sgd"}}, {"architecture": convolutional}]
    runs = [RunSpec.model_validate(tree | change).resolved(catalogue) for change in changes]
    assert imported_by(runs, job) == {"torch", "scipy"}
