"""The comparison on curves whose every answer is known in closed form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from normlaw.analysis.against_theory.comparison import Comparison, compare
from normlaw.analysis.against_theory.figures import figures
from normlaw.analysis.against_theory.optima import EXACT
from normlaw.analysis.against_theory.text import render

ALPHAS = (8.0, 16.0, 32.0, 64.0)
GRID = np.linspace(np.log(0.1), np.log(1000.0), 81)


def log_error(log_norm: np.ndarray, alpha: float) -> np.ndarray:
    """Least error 1/(10 alpha) at norm alpha, with ln error quadratic in ln norm."""
    return -np.log(10.0 * alpha) + 0.05 * (log_norm - np.log(alpha)) ** 2


def curves(offsets: dict[int, float]) -> pd.DataFrame:
    """Runs whose ln error lies by the seed's offset above the exact one."""
    return pd.DataFrame(
        [
            {
                "run": f"{alpha:g}/{seed}",
                "train_size": int(100 * alpha),
                "seed": seed,
                "log_norm": x,
                "test_error": float(np.exp(y + offset)),
            }
            for alpha in ALPHAS
            for seed, offset in offsets.items()
            for x, y in zip(GRID, log_error(GRID, alpha), strict=True)
        ]
    )


@pytest.fixture
def comparison() -> Comparison:
    theory = curves({0: 0.0})
    theory["alpha"] = theory["train_size"] / 100.0
    references = pd.DataFrame({"alpha": ALPHAS, "train_size": [int(100 * alpha) for alpha in ALPHAS]})
    references["hebb"] = 0.5 * references["alpha"] ** -0.5
    references["bayes_optimal"] = 0.099 / references["alpha"]
    references["least_error"] = 0.1 / references["alpha"]
    measured = {"free": curves({0: 0.1, 1: 0.3}), "held": curves({1: 0.2, 2: 0.0})}
    return compare(measured, theory, references)


def test_points_are_set_against_the_exact_ones(comparison: Comparison) -> None:
    rows = comparison.agreement[comparison.agreement["setting"] == "free"]
    mean, spread = (np.exp(0.1) + np.exp(0.3)) / 2, (np.exp(0.3) - np.exp(0.1)) / 2
    assert len(rows) == len(ALPHAS) * len(GRID)
    assert (rows["mean"] / rows["theory"]).to_numpy() == pytest.approx(mean, rel=1e-9)
    assert (rows["stderr"] / rows["theory"]).to_numpy() == pytest.approx(spread, rel=1e-9)  # of two runs
    assert rows["z"].to_numpy() == pytest.approx((mean - 1.0) / spread, rel=1e-9)


def test_optima_are_those_of_the_parabola(comparison: Comparison) -> None:
    for setting, offset in ((EXACT, 0.0), ("held", (np.exp(0.2) + 1.0) / 2)):
        rows = comparison.optima[comparison.optima["setting"] == setting]
        assert np.exp(rows["log_norm"]).to_numpy() == pytest.approx(ALPHAS, rel=1e-6)
        assert rows["error"].to_numpy() == pytest.approx(0.1 / np.array(ALPHAS) * (offset or 1.0), rel=1e-6)
        steepest = 2 * 0.05 * np.log(ALPHAS)  # at norm 1
        assert rows["steepest"].to_numpy() == pytest.approx(steepest, rel=1e-5)


def test_ratios_are_taken_on_the_same_data(comparison: Comparison) -> None:
    """Only seed 1 is in both: e^0.3 over e^0.2."""
    assert comparison.pairs["ratio"].to_numpy() == pytest.approx(np.exp(0.1), rel=1e-9)
    assert comparison.pairs["stderr"].isna().all()


def test_exponents_are_relative_to_hebb(comparison: Comparison) -> None:
    found = comparison.exponents.set_index(["setting", "exponent"])["value"]
    for setting in (EXACT, "free", "held"):
        assert found[setting, "gamma_2"] == pytest.approx(1.0, rel=1e-6)
        assert found[setting, "gamma"] == pytest.approx(0.5, rel=1e-6)
        early = np.array([x for x in GRID if 8.0 <= np.exp(x) <= 16.0])  # a parabola's line is its tangent
        assert found[setting, "gamma_1"] == pytest.approx(2 * 0.05 * (np.log(64.0) - early.mean()), rel=1e-6)
        assert found[setting, "steepest"] == pytest.approx(2 * 0.05 * np.log(64.0), rel=1e-5)


def test_curves_of_one_shape_collapse(comparison: Comparison) -> None:
    """The measured ones too: their offsets drop out of error over least error."""
    assert set(comparison.collapse["setting"]) == {EXACT, "free", "held"}
    assert comparison.collapse["spread"].to_numpy() == pytest.approx(0.0, abs=1e-9)


def test_curves_of_two_shapes_do_not() -> None:
    theory = curves({0: 0.0})
    theory["alpha"] = theory["train_size"] / 100.0
    wide = theory["alpha"] == 64.0
    theory.loc[wide, "test_error"] = (theory.loc[wide, "test_error"] * 640.0) ** 2 / 640.0
    references = theory[["alpha", "train_size"]].drop_duplicates()
    found = compare({"held": theory.drop(columns="alpha")}, theory, references).collapse
    at_the_edge = 0.05 * np.log(0.3) ** 2
    single, double = np.exp(at_the_edge), np.exp(2 * at_the_edge)
    for first, loads in ((8.0, 4), (32.0, 2)):
        spread = (double - single) / (((loads - 1) * single + double) / loads)
        rows = found[(found["setting"] == EXACT) & (found["first_alpha"] == first)]
        assert rows["spread"].to_numpy() == pytest.approx(spread, rel=1e-3)


@pytest.mark.slow
def test_it_can_be_read_and_seen(comparison: Comparison) -> None:
    text = render(comparison)
    assert "free" in text
    assert "0.4901 +- 0.0005" in text
    assert max(map(len, text.splitlines())) < 80
    drawn = figures(comparison)
    assert set(drawn) == {
        "optimal_norm",
        "collapse",
        "least_error_over_bayes",
        "error_against_norm_free",
        "error_against_norm_held",
        "free_over_held",
    }
    (first, *_) = drawn["error_against_norm_free"].axes[0].get_lines()
    assert first.get_ydata() == pytest.approx(np.exp(log_error(GRID, 8.0)), rel=1e-12)
