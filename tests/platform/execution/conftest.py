from __future__ import annotations

from pathlib import Path

import pytest

from normlaw.execution.job import Job


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Return what the runs of the tiny study have in common."""
    return Job(
        study="tiny",
        abscissa="weight_norm",
        home=tmp_path,
        folder=tmp_path / "data",
        device="cpu",
        environment={},
        max_parallel=2,
    )
