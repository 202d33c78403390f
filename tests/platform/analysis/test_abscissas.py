"""In which clock curves are one curve: known by construction, and by an independent fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from normlaw.analysis import Options, analyse, render, report, write
from normlaw.analysis.abscissa_points import MARGIN, points_before_departure
from normlaw.analysis.abscissas import compare_abscissas, left_out_errors, resampled, spline_basis
from normlaw_registry import InputError
from normlaw_tests.tables import number

SIZES = (100, 200, 400, 800, 1600, 3200)


def curves(shared="a", seeds=4, noise=0.01, sizes=SIZES):
    """Return curves that are one curve in the norm `a`, or in the steps, until they depart at an optimum.

    `a` grows with the steps and with P; `a_cubed` is the same clock told otherwise; `own` is `a` without the
    part that grows with P; `shaky` is `a` with noise of its own.
    """
    rng = np.random.default_rng(0)
    frames = []
    for size in sizes:
        for seed in range(seeds):
            step = np.unique(np.round(np.geomspace(1, 2000, 50)))
            growth = 0.3 * np.log(step) + 0.8 * np.log1p(step / 200) + 0.1 * rng.normal()
            a = growth + 0.25 * np.log(size / 100)
            clock = a if shared == "a" else 0.5 * np.log(step)
            beyond = np.log1p(np.exp(3 * (clock - 0.5 * np.log(size) - 1.5)))
            log_error = np.log(0.5) - 0.5 * np.log1p(np.exp(1.5 * clock - 1)) + beyond
            log_error += noise * rng.normal(size=len(step))
            columns = {
                "run": f"{size}/{seed}",
                "train_size": size,
                "seed": seed,
                "step": step.astype(int),
                "epoch": step * 10 / size,
                "test/error": np.minimum(np.exp(log_error), 1),
                "train/loss": np.exp(-0.4 * growth),
                "log_norm/a": a,
                "log_norm/a_cubed": 3 * a + 1,
                "log_norm/own": growth,
                "log_norm/shaky": a + 0.3 * rng.normal(size=len(step)),
            }
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def test_the_clock_that_curves_share_is_found():
    found = compare_abscissas(curves())
    table = found.table.set_index("abscissa")
    assert set(table.index) == {"a", "a_cubed", "own", "shaky", "steps", "epochs", "training_loss"}
    assert number(table, "a", "explained") > 0.98
    assert number(table, "a", "rms_log_error") < 0.03
    # the same clock
    assert number(table, "a", "explained") == pytest.approx(number(table, "a_cubed", "explained"))
    assert number(table, "training_loss", "explained") == pytest.approx(number(table, "own", "explained"))
    for other in ("own", "steps", "epochs", "training_loss", "shaky"):
        assert number(table, "a", "low") > number(table, other, "high"), other
        assert number(table, other, "behind") > 3 * number(table, other, "behind_stderr"), other
    assert table["kind"].to_dict() == {
        **dict.fromkeys(("a", "a_cubed", "own", "shaky"), "norm"),
        **dict.fromkeys(("steps", "epochs"), "time"),
        "training_loss": "loss",
    }
    assert found.warnings == ()


def test_time_wins_where_the_curves_share_it():
    table = compare_abscissas(curves(shared="steps")).table
    assert table["abscissa"][0] == "steps"
    assert table["explained"][0] > 0.95
    norms = table[table["kind"] == "norm"]
    assert norms["explained"].max() < 0.9


def test_the_error_is_that_of_a_fit_to_the_points_of_the_others():
    """The sums over runs give what least squares over all points gives, train size by train size."""
    points, _ = points_before_departure(curves(seeds=2))
    x = points.abscissas["shaky"]
    found = left_out_errors(x, points, np.ones((1, points.runs)))[0]
    basis = spline_basis(x)
    k = basis.shape[1]
    weight = 1 / np.bincount(points.run_of)[points.run_of]
    second = np.diff(np.eye(k), n=2, axis=0)

    def by_hand(penalty):
        total = 0.0
        for size in SIZES:
            held = points.size_of[points.run_of] == size
            left, root = basis[~held], np.sqrt(weight[~held])
            scale = np.trace((left * weight[~held, None]).T @ left) / k
            rows = np.vstack([left * root[:, None], np.sqrt(scale * penalty) * second])
            mean = points.log_error.mean()
            values = np.r_[(points.log_error[~held] - mean) * root, np.zeros(k - 2)]
            curve = np.linalg.lstsq(rows, values, rcond=None)[0]
            total += np.sum(weight[held] * (points.log_error[held] - mean - basis[held] @ curve) ** 2)
        return total

    assert found == pytest.approx(min(by_hand(p) for p in np.logspace(-8, 2, 21)), rel=1e-6)


def test_a_run_drawn_twice_counts_twice_and_predicts_itself_never():
    frame = curves(seeds=2, sizes=SIZES[:4])
    points, _ = points_before_departure(frame)
    twice = pd.concat([frame, frame[frame["run"] == "100/0"].assign(run="100/0 again")])
    doubled, _ = points_before_departure(twice.sort_values(["train_size", "run"], kind="stable"))
    weights = np.ones((2, points.runs))
    weights[1, 0] = 2
    again = left_out_errors(points.abscissas["a"], points, weights)[1]
    assert again == pytest.approx(
        left_out_errors(doubled.abscissas["a"], doubled, np.ones((1, doubled.runs)))[0], rel=0.05
    )
    drawn = resampled(points, 50)
    assert (drawn[0] == 1).all()
    assert (drawn.sum(axis=1) == points.runs).all()


def test_the_points_are_those_before_the_departure_whatever_the_norms_are():
    frame = curves()
    points, _ = points_before_departure(frame)
    for run, rows in frame.sort_values(["run", "step"]).groupby("run"):
        errors = rows["test/error"].to_numpy()
        stop = int(np.argmax(errors <= (1 + MARGIN) * errors.min()))
        number = sorted(frame["run"].unique()).index(run)
        assert points.log_error[points.run_of == number] == pytest.approx(np.log(errors[:stop]))
    shuffled = frame.assign(**{"log_norm/a": frame["log_norm/a"].to_numpy()[::-1]}).sample(
        frac=1, random_state=0
    )
    again, _ = points_before_departure(shuffled)
    assert again.log_error == pytest.approx(points.log_error)


def test_curves_that_are_alike_are_said_to_be():
    rng = np.random.default_rng(1)
    frame = curves(seeds=3)
    one = frame[frame["run"] == "3200/0"].reset_index(drop=True)
    alike = [
        one.assign(
            run=run,
            train_size=rows["train_size"].iloc[0],
            **{"test/error": one["test/error"] * np.exp(0.05 * rng.normal(size=len(one)))},
        )
        for run, rows in frame.groupby("run")
    ]
    found = compare_abscissas(pd.concat(alike))
    assert {w.code for w in found.warnings} == {"curves_alike"}


def test_what_cannot_be_compared_is_refused_or_told():
    frame = curves()
    with pytest.raises(InputError, match="no abscissa to compare"):
        compare_abscissas(frame[["run", "train_size", "test/error"]])
    with pytest.raises(InputError, match="at least 3 train sizes"):
        compare_abscissas(frame[frame["train_size"] < 300])
    late = frame.copy()
    late.loc[late["step"] < 500, "log_norm/own"] = np.nan
    late.loc[(late["run"] == "100/0") & (late["step"] > 3), "step"] = np.nan
    found = compare_abscissas(late.assign(step=late["step"].fillna(0)))
    assert "own" not in set(found.table["abscissa"])
    assert {"abscissa_left_out", "runs_not_compared"} <= {w.code for w in found.warnings}


def test_the_perceptron_is_one_curve_in_its_norm():
    """Exact curves of loads up to 64 in the norm, and in a clock that runs with the load."""
    from normlaw import theory

    loads = [2, 4, 8, 16, 32, 64]
    exact = theory("perceptron", loads, list(np.geomspace(0.3, 40, 16)))
    frame = pd.DataFrame(
        {
            "train_size": (1000 * exact["alpha"]).astype(int),
            "test_error": exact["error"],
            "log_norm/norm": np.log(exact["lambda"]),
            "log_norm/norm_per_example": np.log(exact["lambda"] / exact["alpha"]),
        }
    )
    table = compare_abscissas(frame).table.set_index("abscissa")
    assert table["explained"].idxmax() == "norm"
    assert number(table, "norm", "low") > number(table, "norm_per_example", "high")


@pytest.mark.slow
def test_an_analysis_has_them_everywhere(catalogue, tmp_path):
    frame = curves().rename(columns={"test/error": "test_error"})
    points = frame.rename(columns={"log_norm/a": "log_norm"})
    options = Options(compare_norms=True, protocol="released", window=(None, 0.3))
    analysis = analyse(
        points[["run", "train_size", "step", "log_norm", "test_error"]], catalogue, options, frame
    )
    table = analysis.tables()["abscissas"]
    assert analysis.to_dict()["abscissas"]["compared"] == table.to_dict("records")
    assert "one envelope in each abscissa explains" in render(analysis)
    write(analysis, tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text()
    assert "In which clock the curves are one curve" in page
    assert "training_loss" in page
    again = pd.read_csv(tmp_path / "report" / "tables" / "abscissas.csv")
    pd.testing.assert_frame_equal(again, table)
    assert (tmp_path / "report" / "figures" / "abscissas.svg").is_file()
    plain = analyse(points, catalogue, Options(protocol="released", window=(None, 0.3)))
    assert "abscissas" not in plain.tables()
    assert "In which clock" not in report(plain, drawings={})
