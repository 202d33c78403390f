"""Exact curves of random features of width N: L = N^-(a-1) F(t / N^b), a collapse with a known horizon."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import normlaw

A, B = 1.5, 1.25
FACTORS = (0.97, 0.99, 1.0, 1.01, 1.03)
SD = float(np.std(FACTORS, ddof=1))
"""Of the factors, whose mean is 1."""

pytestmark = pytest.mark.slow


def exact(width: int, times: list[float]) -> np.ndarray:
    found = normlaw.theory(
        "random_features",
        axes={"examples": [np.inf], "time": times},
        params={"a": A, "b": B, "width": width, "modes": 10**9},
    )
    return found["test_loss"].to_numpy(dtype=float)


def ladder(widths: list[int], gamma: float) -> pd.DataFrame:
    """Return curves trained for steps that grow as N^gamma from 18 at N = 64 on, each times five factors."""
    rows = []
    for width in widths:
        times = (np.geomspace(0.02, 1.0, 40) * 0.1 * 64**B * (width / 64) ** gamma).tolist()
        loss = exact(width, times)
        rows += [
            pd.DataFrame({"width": width, "seed": seed, "step": times, "test_loss": factor * loss})
            for seed, factor in enumerate(FACTORS)
        ]
    return pd.concat(rows, ignore_index=True)


def test_the_curves_collapse_at_the_horizon_that_theory_has() -> None:
    widths = [64, 128, 256, 512]
    right = normlaw.collapse(ladder(widths, B), over="width", floor=0.0, draws=30)
    wrong = normlaw.collapse(ladder(widths, 1.4 * B), over="width", floor=0.0, draws=30)
    assert right.profile["noise_floor"].to_numpy() == pytest.approx(SD, rel=1e-9)
    assert right.numbers["collapse_deviation"].value < 0.01
    assert right.verdict == "supercollapse"
    assert right.curves["normalised"].max() > 2.5  # they fall by more than half
    assert wrong.numbers["collapse_deviation"].value > 15 * right.numbers["collapse_deviation"].value
    assert wrong.verdict == "no_supercollapse"


def test_the_horizon_is_found_from_the_envelope_of_the_curves() -> None:
    """N* ~ C^(1/(1+b)): the steps of a width grow as N^b."""
    rows = []
    times = np.geomspace(1.0, 1e5, 100)
    for width in (16, 32, 64, 128, 256, 512):
        loss = exact(width, times.tolist())
        rows.append(
            pd.DataFrame(
                {"width": width, "run": str(width), "step": times, "compute": width * times, "test_loss": loss}
            )
        )
    found = normlaw.horizons(pd.concat(rows, ignore_index=True), "width")
    assert found.attrs["gamma"] == pytest.approx(B, abs=0.1)
    assert found["steps"].is_monotonic_increasing
