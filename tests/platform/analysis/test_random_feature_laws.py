"""The default protocol on exact curves: it finds the laws where they hold, and does not where they fail."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import normlaw

SIZES = [10_000 * 2**i for i in range(7)]

pytestmark = pytest.mark.slow


def exact_curves(a: float, b: float, points: int = 16) -> pd.DataFrame:
    exact = normlaw.theory(
        "random_features",
        axes={"examples": SIZES, "time": np.geomspace(1.0, 1e6, points).tolist()},
        params={"a": a, "b": b, "noise_variance": 0.1},
    )
    return pd.DataFrame(
        {
            "train_size": exact["examples"].astype(int),
            "seed": 0,
            "log_norm": np.log(exact["norm"]),
            "test_loss": exact["test_loss"],
        }
    )


@pytest.mark.parametrize(("a", "b"), [(1.5, 1.25), (1.75, 1.5), (1.3, 1.25)])
def test_the_laws_are_found_where_the_norm_grows(a: float, b: float) -> None:
    curves = exact_curves(a, b)
    least = curves.groupby("train_size")["test_loss"].min()
    endpoint = -np.polyfit(np.log(least.index), np.log(least), 1)[0]
    found = normlaw.fit(curves, response="test_loss").findings
    assert found.verdict == "hold"
    assert found.gamma_pred.value == pytest.approx(endpoint, abs=0.03)
    assert found.gamma_meas.value == pytest.approx(endpoint, abs=0.005)
    assert found.gamma_1.value == pytest.approx(2 * (a - 1) / (1 + b - a), rel=0.05)


def test_the_laws_are_not_found_where_the_norm_converges() -> None:
    assert normlaw.fit(exact_curves(3.0, 1.25, points=30), response="test_loss").findings.verdict != "hold"
