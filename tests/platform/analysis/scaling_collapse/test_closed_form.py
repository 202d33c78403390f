"""Delta, sigma and where one lies below the other, on curves for which they are known in closed form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import normlaw
from normlaw_tests.ladders import L0, SIZES, horizon, ladder_frame, loss, master

FACTORS = np.array([0.97, 0.99, 1.0, 1.01, 1.03])
SD, MEAN = float(FACTORS.std(ddof=1)), float(FACTORS.mean())


def test_what_seeds_share_along_the_curve_is_divided_out() -> None:
    curves = ladder_frame(lambda _p, w, x: np.full_like(x, FACTORS[w]))
    found = normlaw.collapse(curves, over="width", floor=L0, draws=40)
    profile = found.profile
    assert profile["deviation"].to_numpy() == pytest.approx(0.0, abs=2e-4)  # linear between points of the curve
    assert profile["noise_floor"].to_numpy() == pytest.approx(SD / MEAN, rel=1e-9)
    for _, curve in found.curves.groupby("size"):
        assert curve["normalised"].to_numpy() == pytest.approx(master(curve["x"].to_numpy()), rel=1e-3)
    assert found.numbers["collapse_below_from"].value == pytest.approx(0.02)
    assert found.numbers["collapse_fraction"].value == 1.0
    assert found.verdict == "supercollapse"


def test_what_seeds_do_not_share_stays() -> None:
    """The factor is there for x < 1/2 alone: l is the law times it, and Delta the relative sd of the seeds."""
    curves = ladder_frame(lambda _p, w, x: np.where(x < 0.5, FACTORS[w], 1.0))
    found = normlaw.collapse(curves, over="width", floor=L0, draws=40)
    early = found.profile[found.profile["x"] < 0.49]
    late = found.profile[found.profile["x"] > 0.51]
    assert early["deviation"].to_numpy() == pytest.approx(SD / MEAN, rel=2e-3)
    assert early["noise_floor"].to_numpy() == pytest.approx(SD / MEAN, rel=1e-9)
    assert late[["deviation", "noise_floor"]].to_numpy() == pytest.approx(0.0, abs=1e-4)


def test_sizes_that_lie_apart_are_told_by_their_variance() -> None:
    shifts = np.linspace(0.9, 1.1, len(SIZES))
    curves = ladder_frame(lambda p, w, x: FACTORS[w] * np.where(x < 0.3, shifts[p], 1.0))
    found = normlaw.collapse(curves, over="width", floor=L0, draws=40)
    early = found.profile[found.profile["x"] < 0.29]
    assert early["deviation"].to_numpy() == pytest.approx(shifts.std(ddof=1) / shifts.mean(), rel=2e-3)
    assert found.numbers["collapse_below_from"].value == pytest.approx(0.3, abs=0.02)
    assert found.numbers["collapse_below_share"].value == pytest.approx(0.7 / 0.98, abs=0.02)
    assert found.verdict == "supercollapse"


@pytest.mark.parametrize("error", [0.2, -0.2])
def test_a_wrong_horizon_parts_the_curves_as_the_law_says(error: float) -> None:
    curves = ladder_frame(lambda _p, w, x: np.full_like(x, FACTORS[w]), error=error)
    found = normlaw.collapse(curves, over="width", floor=L0, draws=40)
    x = found.profile["x"].to_numpy()
    each = np.stack(
        [(loss(p, x * horizon(p, error)) - L0) / (loss(p, np.array([horizon(p, error)])) - L0) for p in SIZES]
    )
    expected = each.std(axis=0, ddof=1) / each.mean(axis=0)
    assert found.profile["deviation"].to_numpy() == pytest.approx(expected, abs=3e-4)
    assert expected[10] > 0.01


def test_the_range_ends_where_the_lines_cross() -> None:
    """Delta = 0.2 (1 - x) times the sizes' sd over their mean, sigma constant: they cross at a known x."""
    shifts = np.linspace(-1, 1, len(SIZES))
    curves = ladder_frame(lambda p, w, x: FACTORS[w] * (1 + 0.2 * (1 - x) * shifts[p]))
    found = normlaw.collapse(curves, over="width", floor=L0, draws=40)
    expected = 1 - SD / MEAN / (0.2 * shifts.std(ddof=1))
    assert found.numbers["collapse_below_from"].value == pytest.approx(expected, abs=2e-3)


def test_the_floor_is_found_and_the_scan_goes_through_it() -> None:
    curves = ladder_frame(lambda _p, w, x: np.full_like(x, FACTORS[w]))
    found = normlaw.collapse(curves, "compute", over="width", draws=40)
    assert found.floor_source == "fitted"
    assert found.numbers["collapse_floor"].value == pytest.approx(L0, abs=1e-3)
    scan = found.scan
    assert scan["chosen"].sum() == 1
    assert scan["collapse_floor"].min() < L0 < scan["collapse_floor"].max()
    wrong = scan.loc[[0, len(scan) - 1], "collapse_deviation"]
    assert wrong.min() > 20 * found.profile["deviation"].max()
    assert found.spreads["collapse_deviation"][1] == pytest.approx(wrong.max())


def test_on_a_norm_the_anchor_is_the_optimum_of_the_size() -> None:
    """ln L is a parabola in ln(norm/optimum) with one curvature for all sizes: exact collapse, floor 0."""
    rows = []
    z = np.linspace(-2, 2, 81)
    for p, size in enumerate((100, 200, 400, 800)):
        for w, factor in enumerate(FACTORS):
            rows += [
                {"train_size": size, "seed": w, "log_norm": p + x, "test_loss": factor * np.exp(x**2) / size}
                for x in z
            ]
    found = normlaw.collapse(pd.DataFrame(rows), "norm", draws=40)
    assert found.floor_source == "zero"
    assert found.profile["x"].min() == pytest.approx(np.exp(-2))
    assert found.profile["deviation"].to_numpy() == pytest.approx(0.0, abs=1e-9)
    assert found.profile["noise_floor"].to_numpy() == pytest.approx(SD / MEAN, rel=1e-9)
    assert found.numbers["collapse_below_to"].value == pytest.approx(np.exp(2))
    assert found.sizes["anchor"].to_numpy() == pytest.approx(np.exp(np.arange(4)))
