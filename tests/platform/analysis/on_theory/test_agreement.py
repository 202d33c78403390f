"""Made-up runs on made-up theories: deviations in standard errors, refusals, laws, figures and text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from normlaw.analysis import Options
from normlaw.analysis.on_theory.agreement import TrainedRun, agreement
from normlaw.analysis.on_theory.figures import figures
from normlaw.analysis.on_theory.laws import exact_curves, laws
from normlaw.analysis.on_theory.text import render
from normlaw_registry import (
    Axis,
    Counterpart,
    Grid,
    InputError,
    Observable,
    Params,
    Point,
    Reference,
    Theory,
    load_catalogue,
)


class Shift(Params):
    """What differs between seeds."""

    shift: float = 0.0


def solve(params: Shift, grid: Grid) -> list[Point]:
    """Loss 1/t + t/P + shift, norm t."""
    if max(grid["time"]) > 50:
        raise InputError("too late")
    return [
        {"test_loss": 1 / time + time / size + params.shift, "norm": time}
        for size in grid["examples"]
        for time in grid["time"]
    ]


def exponents(_params: Shift) -> dict[str, float]:
    return {"gamma_1": 1.0, "gamma_2": 0.5, "gamma_pred": 0.5}


AXES = (
    Axis(name="examples", meaning="examples", role="examples", low=1, tried=(10, 20)),
    Axis(name="time", meaning="time", role="time", tried=(1, 2)),
)
OBSERVABLES = (
    Observable(name="test_loss", meaning="loss", low=0.0),
    Observable(name="norm", meaning="norm", low=0.0),
)
FALLING: Theory[Shift] = Theory(
    name="falling",
    summary="A loss that falls and rises",
    params=Shift,
    axes=AXES,
    observables=OBSERVABLES,
    solve=solve,
    exponents=exponents,
    compared={
        "floor": Reference(observable="test_loss", meaning="a floor", axes=(), value=lambda params, held: 0.01)
    },
)
READS = {"test_loss": ("test/loss", 2.0), "norm": ("log_norm/weight_norm", 1.0)}


def run(size: int, offset: float, *, shift: float = 0.0, last: int = 40) -> TrainedRun:
    """Return a run whose half loss is the exact one and an offset, at two steps a time."""
    steps = np.arange(0, 2 * last + 1)
    time = np.maximum(steps, 1) / 2
    curve = pd.DataFrame(
        {
            "step": steps,
            "test/loss": (1 / time + time / size + shift + offset) / 2,
            "log_norm/weight_norm": np.log(time),
        }
    )
    params: Mapping[str, Any] = {"shift": shift}
    held = {"examples": float(size)}
    return TrainedRun("", Counterpart(params=params, held=held, axis="time", per_step=0.5, reads=READS), curve)


def test_deviations_are_counted_in_their_standard_errors() -> None:
    found = agreement(FALLING, [run(100, 0.01), run(100, 0.03)])
    losses = found.points[found.points["observable"] == "test_loss"]
    assert len(losses) == 80  # not the step at which all begins
    np.testing.assert_allclose(losses["mean"] - losses["theory"], 0.02)
    np.testing.assert_allclose(losses["stderr"], 0.01)  # of 0.01 and 0.03: 0.0141 / sqrt 2
    scores = found.scores().set_index("observable")
    assert scores.loc["test_loss", "rms_z"] == pytest.approx(2.0)
    np.testing.assert_allclose(found.points[found.points["observable"] == "norm"]["mean"], losses["at"])


def test_seeds_may_each_have_an_exact_curve_of_their_own() -> None:
    found = agreement(FALLING, [run(100, 0.01, shift=5.0), run(100, 0.03, shift=1.0)])
    losses = found.points[found.points["observable"] == "test_loss"]
    np.testing.assert_allclose(losses["stderr"], 0.01)
    np.testing.assert_allclose(losses["mean"] - losses["theory"], 0.02)


def test_what_the_theory_refuses_is_left_out_and_told() -> None:
    found = agreement(FALLING, [run(100, 0.0, last=60)])
    assert found.points["at"].max() == 50
    assert found.notes == ("too late",)
    assert "left out: too late" in render(found, laws(found, {}, load_catalogue(), Options()))


def test_a_run_that_moves_along_no_axis_is_compared_at_its_end() -> None:
    ends = []
    for size in (50, 100, 200):
        one = run(size, 0.0)
        held = {"examples": float(size), "time": 40.0}
        ends.append(TrainedRun("", Counterpart(params={}, held=held, reads=READS), one.curve))
    found = agreement(FALLING, ends)
    assert len(found.points) == 6
    losses = found.points[found.points["observable"] == "test_loss"].set_index("examples")["mean"]
    assert losses[100.0] == pytest.approx(1 / 40 + 0.4)
    drawn = figures(found)
    assert set(drawn) == {"test_loss_against_examples", "norm_against_examples"}
    labels = [text.get_text() for text in drawn["test_loss_against_examples"].axes[0].get_legend().get_texts()]
    assert sorted(labels) == ["floor", "trained"]


def test_runs_that_are_not_at_their_ends_are_left_out_and_told() -> None:
    reads, bound = {"norm": READS["norm"]}, {"test/loss": 0.3}
    ends = []
    for size in (50, 200):  # the loss at time 40 is 0.41 and 0.11
        counterpart = Counterpart(
            params={}, held={"examples": size, "time": 40.0}, reads=reads, ends_below=bound
        )
        ends += [TrainedRun("", counterpart, run(size, 0.001 * seed).curve) for seed in range(2)]
    found = agreement(FALLING, ends)
    assert found.points["examples"].tolist() == [200]
    assert found.notes == (
        "2 of 4 runs, whose test/loss does not end at or below 0.3 (examples = 50, time = 40): "
        "train them for more steps",
    )
    assert len(figures(found)["norm_against_examples"].axes[0].get_lines()) == 2  # exact, trained
    assert agreement(FALLING, ends[:2]).points.empty


@pytest.mark.slow
def test_exact_curves_have_laws_too() -> None:
    runs = [run(size, 0.001 * seed) for size in (100, 200, 400, 800) for seed in range(2)]
    found = agreement(FALLING, runs)
    curves = exact_curves(found.points)
    assert curves is not None
    assert len(curves) == 4 * 80
    told = laws(found, {"": None}, load_catalogue(), Options(response="test_loss"))
    exact = told.exponents.set_index("exponent")
    assert exact.loc["gamma_1", "exact_curves"] == pytest.approx(1.0, abs=0.1)
    assert exact.loc["gamma_pred", "limit"] == 0.5
    assert exact.loc["gamma_meas", "limit"] == 0.5
    assert exact["trained"].isna().all()
    text = render(found, told)
    assert "gamma_pred" in text
    assert max(map(len, text.splitlines())) <= 80
    assert exact_curves(found.points[found.points["observable"] == "norm"]) is None


def test_figures_show_points_on_lines() -> None:
    drawn = figures(agreement(FALLING, [run(100, 0.01), run(100, 0.03), run(200, 0.0)]))
    assert set(drawn) == {"test_loss_against_time", "norm_against_time", "test_loss_against_norm"}
    lines = drawn["test_loss_against_norm"].axes[0].get_lines()
    assert len(lines) == 2 + 2 + 1  # exact, trained, the floor
