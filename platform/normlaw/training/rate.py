"""The learning rate as a function of the optimiser step."""

from __future__ import annotations

from bisect import bisect_right
from math import cos, pi

from normlaw.study.run_options import RateSchedule


def rate_factor(schedule: RateSchedule, step: int, total: int) -> float:
    """Return the factor on the learning rate for the update that leads from `step` to `step + 1`.

    With W warm-up steps it is (step + 1) / W below W. Then, with p = (step - W) / (total - W) from 0 to 1:
    constant: 1; linear: 1 - (1 - final) p; cosine: final + (1 - final) (1 + cos(pi p)) / 2;
    step: factor to the power of the number of milestones at or below p.

    It depends on nothing else, so that a resumed run goes on as it would have.

    >>> [round(rate_factor(RateSchedule(name="cosine"), step, 4), 3) for step in range(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """
    warmup, final = schedule.warmup_steps, schedule.final_factor
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total - warmup))
    match schedule.name:
        case "constant":
            return 1.0
        case "linear":
            return 1 - (1 - final) * progress
        case "cosine":
            return final + (1 - final) * (1 + cos(pi * progress)) / 2
        case "step":
            return float(schedule.factor ** bisect_right(schedule.milestones, progress))
