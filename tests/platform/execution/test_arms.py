"""Arms go on from what their trunk was trained to, once; the curves are those of each run trained whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from normlaw.execution.forks import clear_forks, fork_folder, forks_of
from normlaw.execution.job import Job, Progress
from normlaw.execution.worker import work
from normlaw.study.expansion import expand
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw_registry import Catalogue


@pytest.fixture
def specs(tiny: dict[str, Any], catalogue: Catalogue) -> list[RunSpec]:
    tiny["vary"] = {"train_size": [32], "seed": [0, 1]}
    arms = {"held": {"hold_norm": "weights"}, "warm": {"temperature": 4, "start": {"train_error": 0.8}}}
    return expand(Study.model_validate({**tiny, "fork": {"step": 10}, "arms": arms}), catalogue)


def train(stack: list[RunSpec], job: Job, stop_after: int = 10**9) -> list[int]:
    """Train runs as a worker does; return the steps that were measured meanwhile."""
    told: list[int] = []

    def report(news: Progress) -> None:
        told.append(news.step)

    outcomes = work(tuple(stack), job, report, lambda: len(told) >= stop_after)
    assert [outcome.failure for outcome in outcomes] == [None] * len(stack)
    return told


def curve(job: Job, spec: RunSpec) -> list[dict[str, Any]]:
    """Return what a journal says, but for times."""
    lines = [json.loads(line) for line in job.journal(spec.spec_hash).read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("time", "environment")} for line in lines]


def without_workers(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["kind"] not in ("worker", "memory_format")]


@pytest.mark.slow
def test_an_arm_goes_on_from_its_trunk_and_has_the_curve_that_it_has_by_itself(
    specs: list[RunSpec], job: Job, tmp_path: Path
) -> None:
    job = replace(job, forks=forks_of(specs))
    trunk, held, warm = specs[:3]
    steps = train([trunk], job)
    assert steps[0] == 0
    for arm in (held, warm):
        rest = train([arm], job)
        assert 0 < len(rest) < len(steps)
        assert rest == steps[-len(rest) :]
        by_itself = replace(job, home=tmp_path / arm.arm, forks={})
        assert train([arm], by_itself) == steps
        assert without_workers(curve(job, arm)) == without_workers(curve(by_itself, arm))
    points = [[line for line in curve(job, spec) if line["kind"] == "point"] for spec in (trunk, held)]
    same = [one == other for one, other in zip(*points, strict=True)]
    fork = next(n for n, line in enumerate(points[0]) if line["values"]["step"] >= 10)
    assert same == [True] * (fork + 1) + [False] * (len(same) - fork - 1)


@pytest.mark.slow
def test_trunk_and_arm_may_be_stopped_anywhere(specs: list[RunSpec], job: Job, tmp_path: Path) -> None:
    job = replace(job, forks=forks_of(specs))
    trunk, held, _ = specs[:3]
    whole = replace(job, home=tmp_path / "whole")
    train([trunk], whole)
    train([held], whole)
    for stops in range(1, 12, 3):
        stopped = replace(job, home=tmp_path / str(stops))
        train([trunk], stopped, stop_after=stops)
        train([trunk], stopped)
        train([held], stopped, stop_after=2)
        train([held], stopped)
        for spec in (trunk, held):
            assert without_workers(curve(stopped, spec)) == without_workers(curve(whole, spec))


@pytest.mark.slow
def test_arms_of_several_trunks_are_stacked(specs: list[RunSpec], job: Job) -> None:
    job = replace(job, forks=forks_of(specs))
    trunks, held = [specs[0], specs[3]], [specs[1], specs[4]]
    train(trunks, job)
    told = train(held, job)
    assert min(told) > 10
    for trunk, arm in zip(trunks, held, strict=True):
        free, own = ([one["values"] for one in curve(job, s) if one["kind"] == "point"] for s in (trunk, arm))
        norms = [{p["step"]: p["log_norm/weight_norm"] for p in points} for points in (free, own)]
        fork = min(step for step in norms[0] if step >= 10)
        assert norms[1][60] == pytest.approx(norms[0][fork], rel=1e-5)
        assert norms[1][fork] == norms[0][fork]


def test_without_its_trunks_state_an_arm_is_trained_whole(specs: list[RunSpec], job: Job) -> None:
    trunk, held, _ = specs[:3]
    steps = train([trunk], job)  # nothing said of arms
    assert train([held], job) == steps


def test_states_are_kept_until_all_arms_are_there(specs: list[RunSpec], job: Job) -> None:
    job = replace(job, forks=forks_of(specs))
    trunk = specs[0]
    train([trunk], job)
    folder = fork_folder(job.home, job.study, trunk.spec_hash)
    assert len(list(folder.glob("*/*.ckpt"))) == 2
    clear_forks(job.home, job.study, [trunk.spec_hash])
    assert not folder.exists()
