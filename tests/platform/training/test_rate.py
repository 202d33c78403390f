from __future__ import annotations

import pytest
import torch
from torch.optim import lr_scheduler

from normlaw.study.run_options import RateSchedule
from normlaw.training.rate import RateFactor
from normlaw_registry import InputError, load_catalogue

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
    factor = RateFactor(RateSchedule.model_validate(schedule), TOTAL, load_catalogue())
    ours = [factor(step) for step in range(TOTAL)]
    assert ours == pytest.approx(rates(build), rel=1e-9, abs=1e-12)


def test_warmup_longer_than_the_run_only_rises():
    factor = RateFactor(RateSchedule(name="cosine", warmup_steps=100), 10, load_catalogue())
    assert [factor(step) for step in (0, 9)] == [0.01, 0.1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "step"}, "schedule 'step': milestones: missing"),
        ({"name": "step", "milestones": [0.75, 0.5]}, "ascending"),
        ({"name": "step", "milestones": [1.5]}, "between 0 and 1"),
        ({"name": "cosine", "milestones": [0.5]}, r"unknown key, .* \(schedule 'cosine'\)"),
        ({"name": "constant", "final_factor": 0.5}, r"unknown key, .* \(schedule 'constant'\)"),
    ],
)
def test_what_does_not_fit_together_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        RateSchedule.model_validate(values).resolved(load_catalogue())
