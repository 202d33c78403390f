from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from normlaw.analysis import Options, analyse
from normlaw.analysis.checks import check_ends, check_growth
from normlaw.analysis.curves import prepare
from normlaw_registry import InputError
from normlaw_registry.curves import parabola_optima


def parabolas(noise, grid_step=0.31, seeds=40):
    rng = np.random.default_rng(0)
    frames = []
    for seed in range(seeds):
        x = np.arange(0, 10, grid_step) + rng.uniform(0, grid_step)
        y = -1 + 0.05 * (x - 5.2) ** 2 + noise * rng.normal(size=len(x))
        frames.append(pd.DataFrame({"run": str(seed), "train_size": 100, "log_norm": x, "log_error": y}))
    return pd.concat(frames, ignore_index=True)


def test_exact_parabolas_are_found_between_grid_points():
    optima = parabola_optima(parabolas(noise=0.0))
    assert optima["smooth"].all()
    assert optima["log_norm"].to_numpy() == pytest.approx(5.2, abs=1e-6)
    assert optima["log_error"].to_numpy() == pytest.approx(-1.0, abs=1e-9)


@pytest.mark.slow
def test_uncertainty_of_the_optimum_is_its_scatter():
    optima = parabola_optima(parabolas(noise=0.005, seeds=400))
    inside = optima[optima["smooth"]]
    assert len(inside) > 390
    assert inside["log_norm"].mean() == pytest.approx(5.2, abs=0.05)
    assert inside["log_norm_stderr"].median() == pytest.approx(inside["log_norm"].std(), rel=0.25)
    grid = parabolas(noise=0.005, seeds=400)
    least = grid.loc[grid.groupby("run")["log_error"].idxmin()]
    assert inside["log_norm"].std() < 0.7 * least["log_norm"].std()
    assert abs(inside["log_error"].mean() + 1) < 0.5 * abs(least["log_error"].mean() + 1)


def test_a_curve_that_ends_at_its_least_error_is_marked():
    falling = parabolas(noise=0.0)
    falling = falling[falling["log_norm"] < 4].reset_index(drop=True)
    optima = parabola_optima(falling)
    assert not optima["bracketed"].any()
    assert not optima["smooth"].any()
    assert optima["log_norm"].to_numpy() == pytest.approx(
        falling.groupby("run")["log_norm"].max()[optima["run"]]
    )


@pytest.mark.slow
def test_collapse_of_curves_that_are_copies(make_study, catalogue):
    """Sizes that differ by the scatter of seeds alone collapse to the noise floor."""
    options = Options(protocol="automatic", draws=100)
    study = make_study(ceiling=10.0, noise=0.005, seeds=8, points=50, optimum_scatter=0.02, reach=3)
    found = analyse(study, catalogue, options).to_dict()["collapse"]
    # a spread of 6 sizes has 5 degrees of freedom, so that its square scatters by 63 %: numbers of seeds from 6
    # to 20 give ratios from 0.75 to 1.55
    assert found["ratio"] == pytest.approx(1.0, abs=0.7)
    bent = study.assign(
        test_error=study["test_error"] ** (1 + 0.2 * (study["train_size"] > 4000)),
    )
    worse = analyse(bent, catalogue, options).to_dict()["collapse"]
    assert worse["ratio"] > 5


def test_warning_codes(make_study, catalogue):
    study = make_study(sizes=(1000, 2000, 4000), seeds=2, points=50)
    quick = Options(protocol="automatic", draws=100)
    codes = {w.code for w in analyse(study, catalogue, quick).warnings}
    assert "few_train_sizes" in codes
    early = study.groupby("run", group_keys=False)[study.columns.tolist()].apply(lambda run: run.head(30))
    codes = {w.code for w in analyse(early, catalogue, quick).warnings}
    assert "optimum_not_bracketed" in codes
    options = Options(protocol="released", window=(0.004, 0.02))
    codes = {w.code for w in analyse(make_study(points=50), catalogue, options).warnings}
    assert "window_far_from_optimum" in codes
    options = Options(protocol="released", window=(0.1, 0.25))
    codes = {w.code for w in analyse(make_study(points=80), catalogue, options).warnings}
    assert "narrow_window" in codes


@pytest.mark.parametrize(
    ("falls", "told"),
    [(False, "4 where training ended: train longer"), (True, "4 where training began")],
)
def test_the_end_with_the_least_error_is_that_of_training(make_study, falls, told):
    """Errors that fall as the norm grows; with a norm that falls, they are least where training begins."""
    study = make_study(sizes=(1000, 2000, 4000, 8000), seeds=1, points=50)
    study = study.groupby("run", group_keys=False)[study.columns.tolist()].apply(lambda run: run.head(30))
    step = study.groupby("run").cumcount()
    points, _ = prepare(study.assign(step=30 - step if falls else step))
    (warning,) = check_ends(points, parabola_optima(points))
    assert warning.message.startswith(f"of 4 curves, 4 have their least error at one end ({told})")
    fallen = check_growth(points)
    assert [warning.code for warning in fallen] == ["norm_falls"] * falls
    assert falls == any(
        "in 4 of 4 curves the norm is smaller where training ended" in w.message for w in fallen
    )
    unknown = points.assign(step=np.nan)  # no step was written down
    (by_norm,) = check_ends(unknown, parabola_optima(points))
    assert "4 at the largest norm: train longer" in by_norm.message
    assert check_growth(unknown) == []


@pytest.mark.slow
def test_disagreement_is_said(make_study, catalogue):
    """An endpoint law that the early law does not explain: errors multiplied by P^0.3."""
    study = make_study(seeds=3)
    study["test_error"] = (study["test_error"] * (study["train_size"] / 32_000) ** 0.3).clip(upper=1)
    analysis = analyse(study, catalogue, Options(protocol="automatic", draws=100))
    assert "laws_disagree" in {w.code for w in analysis.warnings}
    assert analysis.to_dict()["agreement"]["difference"] == pytest.approx(0.3, abs=0.05)
    few = study[(study["seed"] < 2) & (study["train_size"] < 10_000)]
    found = analyse(few, catalogue).to_dict()  # the curves share no envelope: they rise with P
    assert (found["verdict"], found["reasons"][0]["code"]) == ("fail", "envelope_rises")
    assert found["gamma_0"] == pytest.approx(-0.3, abs=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="log_norm"), "lack the column 'log_norm'"),
        (lambda f: f.assign(test_error=2.0), r"fraction in \[0, 1\], got 2"),
        (lambda f: f[f["train_size"] < 3000], r"at least 3 train sizes .* got 2 \(1000, 2000\)"),
        (lambda f: f.groupby("run").head(3), "at least 3 train sizes .* got 0"),
        (lambda f: f.assign(run="all"), "several train sizes"),
        (lambda f: f.assign(train_size=-1), "must be positive"),
    ],
)
def test_too_little_or_wrong_is_refused(make_study, change, message):
    with pytest.raises(InputError, match=message):
        prepare(change(make_study()))


def test_what_is_left_out_is_said(make_study):
    study = make_study()
    study.loc[0, "log_norm"] = np.nan
    study.loc[1, "test_error"] = 0.0
    frame, warnings = prepare(study)
    assert {w.code for w in warnings} == {"points_not_finite", "zero_error"}
    assert len(frame) == len(study) - 2
