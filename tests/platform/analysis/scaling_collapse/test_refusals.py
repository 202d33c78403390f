"""What cannot be said of curves is said by name; what was left out, as a warning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import normlaw
from normlaw_tests.ladders import ladder_frame


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return ladder_frame(lambda _p, _w, x: np.full_like(x, 1 + 0.01 * rng.normal()), points=60)


def refusal(frame: pd.DataFrame, **options) -> str:
    with pytest.raises(normlaw.InputError) as caught:
        normlaw.collapse(frame, **{"over": "width", "draws": 20, **options})
    return str(caught.value)


def test_one_size(curves) -> None:
    assert refusal(curves[curves["width"] == 64]) == (
        "collapse: curves of at least 3 sizes are compared, got 1 (64): run more sizes, or say which parameter "
        "holds them"
    )


def test_one_seed(curves) -> None:
    assert refusal(curves[curves["seed"] == 0]).startswith(
        "collapse: the scatter of seeds needs two runs of each size, and 6 sizes have one alone (16, 32, 64, "
    )


def test_a_size_with_one_seed_is_left_out_by_name(curves) -> None:
    kept = curves[(curves["width"] != 64) | (curves["seed"] == 1)]
    found = normlaw.collapse(kept, over="width", draws=20)
    (warning,) = [w for w in found.warnings if w.code == "collapse_sizes_left_out"]
    assert warning.message == "sizes with one run were left out, as they have no scatter of seeds: 64"
    assert list(found.sizes["size"]) == [16, 32, 128, 256, 512]


def test_few_seeds_and_sizes_are_warned_of(curves) -> None:
    kept = curves[(curves["width"] < 100) & (curves["seed"] < 2)]
    found = normlaw.collapse(kept, over="width", draws=20)
    assert {w.code for w in found.warnings} == {"collapse_few_seeds", "collapse_floor_not_fitted"}
    assert found.numbers["collapse_floor"].value == 0


def turning(shift: float = 0.0, until: float = 2.0) -> pd.DataFrame:
    """Return curves of three sizes that turn at a norm of 1; those of one are moved, and end early."""
    rows = []
    for size in (10, 20, 30):
        z = np.linspace(-2.0, until if size == 20 else 2.0, 40) + (shift if size == 20 else 0.0)
        rows += [
            pd.DataFrame(
                {"train_size": size, "seed": w, "log_norm": z, "test_loss": (1 + 0.1 * w) * np.exp(z**2)}
            )
            for w in range(4)
        ]
    return pd.concat(rows, ignore_index=True)


def test_no_range_in_common() -> None:
    assert normlaw.collapse(turning(), "norm", draws=20).verdict == "supercollapse"
    late = turning()
    late.loc[(late["train_size"] == 20) & (late["seed"] == 1), "log_norm"] += 9.0
    assert refusal(late, abscissa="norm", over="train_size").startswith(
        "collapse: the curves have no range in common: one of size 20 begins at "
    )


def test_curves_that_still_fall_are_anchored_where_all_runs_of_the_size_are() -> None:
    """Their optima are their ends, which scatter: the mean lies beyond the end of some run."""
    falling = turning()
    ends = -0.5 - 0.05 * falling["seed"]
    found = normlaw.collapse(falling[falling["log_norm"] < ends], "norm", draws=20)
    grid = np.linspace(-2.0, 2.0, 40)
    assert np.log(found.sizes["anchor"].to_numpy()) == pytest.approx(grid[grid < -0.65].max())
    assert found.profile["x"].max() == pytest.approx(1.0)
    assert found.profile["deviation"].to_numpy() == pytest.approx(0.0, abs=1e-9)


def test_a_floor_above_a_final_loss(curves) -> None:
    assert "is not below all final values: a run of size 512 ends at" in refusal(curves, floor=0.36)


def test_columns_and_names(curves) -> None:
    assert "curves lack the column 'widht': did you mean width?" in refusal(curves, over="widht")
    assert "no abscissa 'step': did you mean steps?" in refusal(curves, abscissa="step")
    assert "nothing tells the compute" in refusal(curves.drop(columns="compute"), abscissa="compute")
    assert "have no norm: take the abscissa compute or steps" in refusal(curves, abscissa="norm")
    assert "curves lack the column 'test/error'" in refusal(curves, response="test_error")
    assert "departure norms are those of train sizes, not of 'width'" in refusal(curves, abscissa="departure")
    assert "a positive number, or a list of numbers, whose largest is taken, got 'wide'" in refusal(
        curves.assign(width="wide")
    )


def test_runs_that_differ_in_more_than_their_seed(curves) -> None:
    both = pd.concat([curves.assign(train_size=100), curves.assign(train_size=200)])
    assert "runs of one width belong to 2 values of 'train_size': choose one by" in refusal(both)


def test_points_that_are_not_finite_are_counted(curves) -> None:
    broken = curves.assign(test_loss=curves["test_loss"].where(curves.index != 3))
    found = normlaw.collapse(broken, over="width", draws=20)
    assert "1 points are not finite and were left out" in [w.message for w in found.warnings]
