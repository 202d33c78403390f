from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch.optim import lr_scheduler

from normlaw.study.run_options import RateSchedule
from normlaw.training.rate import rate_factor

TOTAL = 40


def rates(build):
    """The factors that torch's own scheduler applies to the updates 0, 1, ..., TOTAL - 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = build(optimizer)
    found = []
    for _ in range(TOTAL):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(
    ("schedule", "build"),
    [
        ({"name": "constant"}, lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
        (
            {"name": "linear", "final_factor": 0.2},
            lambda o: lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.2, total_iters=TOTAL),
        ),
        (
            {"name": "cosine", "final_factor": 0.1},
            lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=TOTAL, eta_min=0.1),
        ),
        (
            {"name": "step", "milestones": [0.5, 0.75], "factor": 0.3},
            lambda o: lr_scheduler.MultiStepLR(o, milestones=[20, 30], gamma=0.3),
        ),
        (
            {"name": "cosine", "warmup_steps": 8},
            lambda o: lr_scheduler.SequentialLR(
                o,
                [
                    lr_scheduler.LambdaLR(o, lambda step: (step + 1) / 8),
                    lr_scheduler.CosineAnnealingLR(o, T_max=TOTAL - 8),
                ],
                milestones=[8],
            ),
        ),
    ],
)
def test_agrees_with_torchs_scheduler(schedule, build):
    ours = [rate_factor(RateSchedule(**schedule), step, TOTAL) for step in range(TOTAL)]
    assert ours == pytest.approx(rates(build), rel=1e-9, abs=1e-12)


def test_warmup_longer_than_the_run_only_rises():
    schedule = RateSchedule(name="cosine", warmup_steps=100)
    assert [rate_factor(schedule, step, 10) for step in (0, 9)] == [0.01, 0.1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "step"}, "needs `milestones`"),
        ({"name": "step", "milestones": [0.75, 0.5]}, "ascending"),
        ({"name": "step", "milestones": [1.5]}, "between 0 and 1"),
        ({"name": "cosine", "milestones": [0.5]}, "belongs to step"),
        ({"name": "constant", "final_factor": 0.5}, "belongs to cosine and linear"),
    ],
)
def test_what_does_not_fit_together_is_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        RateSchedule(**values)
