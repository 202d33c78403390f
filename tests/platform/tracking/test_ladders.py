"""Runs are parted into ladders of sizes: what follows a size is part of it, all else but the seed parts."""

from __future__ import annotations

from typing import Any

import pytest

from normlaw.tracking.ladders import ladders
from normlaw.tracking.study_run import StudyRun
from normlaw_registry import InputError

STEPS = {"[8]": "100", "[16]": "300"}


def run(hidden: str, seed: int, **more: Any) -> StudyRun:
    params = {
        "architecture": "mlp",
        "architecture.hidden": hidden,
        "dataset": "digits",
        "steps": STEPS[hidden],
        "train_size": "64",
        "seed": str(seed),
        **more,
    }
    return StudyRun(
        run_id=f"{hidden}{seed}{more}",
        spec_hash="",
        name="",
        kind="training",
        status="FINISHED",
        start_time=0,
        params=params,
        metrics={},
        measures={},
        exactness={},
        setting=None,
        norm="",
        artifacts="",
    )


def test_what_follows_the_size_is_no_setting() -> None:
    runs = [run(hidden, seed) for hidden in STEPS for seed in range(2)]
    assert ladders(runs, "architecture.hidden") == [({}, runs)]


def test_other_settings_part_ladders() -> None:
    plain = [run(hidden, seed) for hidden in STEPS for seed in range(2)]
    linear = [run(hidden, 0, **{"learning_rate_schedule.name": "linear"}) for hidden in STEPS]
    found = ladders([*plain, *linear], "architecture.hidden")
    assert [(setting["learning_rate_schedule.name"], members) for setting, members in found] == [
        ("constant", plain),
        ("linear", linear),
    ]


def test_a_parameter_that_runs_lack_is_told() -> None:
    runs = [run(hidden, 0) for hidden in STEPS]
    with pytest.raises(
        InputError, match=r"runs lack the parameter 'architecture.hiden': did you mean architecture.h"
    ):
        ladders(runs, "architecture.hiden")
