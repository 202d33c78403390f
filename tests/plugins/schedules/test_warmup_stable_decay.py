"""Warm-up, stable, decay: against torch's own schedulers put together."""

from __future__ import annotations

import pytest
import torch
from torch.optim import lr_scheduler

from normlaw.study.run_options import RateSchedule
from normlaw.training.rate import RateFactor
from normlaw_registry import load_catalogue

TOTAL, WARMUP, DECAY = 40, 10, 12


def test_it_rises_stays_and_falls_as_torchs_schedulers_do() -> None:
    chosen = {"name": "warmup_stable_decay", "warmup_steps": WARMUP, "decay_fraction": 0.4, "final_factor": 0.1}
    factor = RateFactor(RateSchedule.model_validate(chosen), TOTAL, load_catalogue())
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = lr_scheduler.SequentialLR(
        optimizer,
        [
            lr_scheduler.LambdaLR(optimizer, lambda step: (step + 1) / WARMUP),
            lr_scheduler.ConstantLR(optimizer, factor=1.0),
            lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=0.1, total_iters=DECAY),
        ],
        milestones=[WARMUP, TOTAL - DECAY],
    )
    for step in range(TOTAL):
        assert factor(step) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-12), step
        optimizer.step()
        scheduler.step()


def test_the_root_falls_faster_at_first() -> None:
    chosen = {"name": "warmup_stable_decay", "decay_fraction": 0.5, "shape": "root"}
    factor = RateFactor(RateSchedule.model_validate(chosen), 8, load_catalogue())
    assert [factor(step) for step in (4, 5, 8)] == pytest.approx([1.0, 1 - 0.25**0.5, 0.0])
