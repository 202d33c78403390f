"""A learning rate that stays, and falls at the end."""

from __future__ import annotations

from math import sqrt
from typing import Literal

from pydantic import Field

from normlaw_plugins.schedules.falling import progress
from normlaw_registry import Params, Schedule


class WarmupStableDecayParams(Params):
    """When and how it falls."""

    decay_fraction: float = Field(
        0.2, gt=0, le=1, description="part of the steps after the warm-up over which the rate falls"
    )
    shape: Literal["linear", "root"] = Field(
        "linear", description="of the fall, with q from 0 to 1: `linear` is 1 - q, `root` 1 - sqrt(q)"
    )
    final_factor: float = Field(0.0, ge=0, le=1, description="the factor at the last step")


def factor(params: WarmupStableDecayParams, step: int, steps: int) -> float:
    """Return 1 while the rate is stable, then the fall from 1 to `final_factor`.

    The rise goes before it, over `warmup_steps`.

    >>> [round(factor(WarmupStableDecayParams(decay_fraction=0.5), step, 4), 3) for step in range(5)]
    [1.0, 1.0, 1.0, 0.5, 0.0]
    """
    done = max(0.0, 1 - (1 - progress(step, steps)) / params.decay_fraction)
    fall = sqrt(done) if params.shape == "root" else done
    return 1 - (1 - params.final_factor) * fall


WARMUP_STABLE_DECAY = Schedule(
    name="warmup_stable_decay",
    summary="The learning rate stays, and falls at the end",
    source="Haegele et al. 2024, arXiv:2405.18392, equation 1",
    formula=r"1 - (1 - \varphi)\, s(q), \quad q = \max\left(0,\; 1 - \frac{1 - p}{d}\right)",
    params=WarmupStableDecayParams,
    factor=factor,
)
