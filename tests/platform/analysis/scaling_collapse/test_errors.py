"""Errors against a simulation: many ladders of one law are drawn, and their numbers scatter as is said."""

from __future__ import annotations

import numpy as np
import pytest

import normlaw
from normlaw_tests.ladders import L0, ladder_frame

LADDERS = 40
NUMBERS = ("collapse_deviation", "collapse_noise_floor")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seeds", [3, 6])
def test_numbers_scatter_as_their_errors_say(seeds: int) -> None:
    """Each run has a factor of its own, of sd 0.02, and a bend that parts it from the others before the end."""
    rng = np.random.default_rng(seeds)
    found = []
    for _ in range(LADDERS):
        curves = ladder_frame(
            lambda _p, _w, x: (1 + 0.02 * rng.normal()) * (1 + 0.01 * rng.normal() * np.sin(np.pi * x / 2)),
            seeds=seeds,
            points=50,
        )
        found.append(normlaw.collapse(curves, over="width", floor=L0, draws=40).numbers)
    for name in NUMBERS:
        values = np.array([numbers[name].value for numbers in found])
        errors = np.array([numbers[name].stderr for numbers in found])
        told = float(np.sqrt((errors**2).mean()) / values.std(ddof=1))
        assert 0.7 < told < 1.5, (name, told)
        inside = np.mean([n[name].low <= values.mean() <= n[name].high for n in found])
        assert inside >= 0.75, (name, inside)


def test_errors_do_not_shift_what_they_are_of() -> None:
    """Resampled deviations lie around the deviation: without the correction they would be 7 % above it."""
    rng = np.random.default_rng(1)
    curves = ladder_frame(lambda _p, _w, x: 1 + 0.02 * rng.normal() * np.sin(np.pi * x), seeds=6, points=50)
    found = normlaw.collapse(curves, over="width", floor=L0, draws=300)
    middle = found.profile.iloc[len(found.profile) // 2]
    assert middle["deviation_low"] < middle["deviation"] < middle["deviation_high"]
    half = 0.5 * (middle["deviation_low"] + middle["deviation_high"])
    assert half == pytest.approx(middle["deviation"], rel=0.05)
