"""Figures of solvable models: any observable against any axis or observable, with what it is compared with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import normlaw
from normlaw.analysis.figures.drawing import Drawing
from normlaw.cli.program import main

AXES = {"alpha": [1.0, 2.0], "lambda": [0.1, 0.5, 2.0, 10.0]}


def drawn(**asked: str) -> Drawing:
    figure = normlaw.theory_figure("perceptron", AXES, **asked)  # type: ignore[arg-type]
    assert isinstance(figure, Drawing)
    return figure


def test_an_observable_against_another_one_is_a_line_for_each_curve() -> None:
    figure = drawn(x="overlap", y="test_error")
    numbers = figure.numbers()
    exact = normlaw.theory("perceptron", axes=AXES)
    assert numbers["series"].unique().tolist() == ["alpha = 1", "alpha = 2"]
    for column in ("overlap", "test_error"):
        assert numbers[column].tolist() == exact[column].tolist()
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("overlap", "test error")
    assert len(axes.get_lines()) == 2


def test_against_an_axis_curves_run_along_it_beside_what_they_are_compared_with() -> None:
    numbers = drawn(x="alpha").numbers().set_index("series")
    assert set(numbers.index) >= {"lambda = 0.1", "lambda = 10", "bayes_optimal", "hebb"}
    least = numbers.loc["bayes_optimal", "test_error"].to_numpy()
    assert (least < numbers.loc["lambda = 0.5", "test_error"].to_numpy()).all()


def test_what_is_infinite_has_no_place_and_signs_decide_the_scale() -> None:
    axes = {"examples": [100.0], "time": [1.0, 100.0, float("inf")]}
    figure = normlaw.theory_figure("random_features", axes)
    assert isinstance(figure, Drawing)
    assert figure.numbers()["time"].max() == 100
    (panel,) = figure.axes
    assert panel.get_xscale() == "log"
    (panel,) = drawn(x="lambda", y="ln_chi").axes
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "linear")
    assert np.isfinite(panel.get_ylim()).all()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"x": "alfa"}, "no such axis or observable: did you mean alpha"),
        ({"y": "lambda"}, "no such observable"),
        ({"x": "overlap", "y": "overlap"}, "are both overlap"),
        ({"width": "poster"}, "'page' or a 'column'"),
    ],
)
def test_what_cannot_be_drawn_is_told(asked: dict[str, str], message: str) -> None:
    with pytest.raises(normlaw.InputError, match=message):
        drawn(**asked)


def test_the_command_writes_a_figure(tmp_path: Path) -> None:
    def run(*more: str) -> str:
        given = ["theory", "perceptron", "--axis", "alpha=1", "--axis", "lambda=0.1:10:4"]
        result = CliRunner().invoke(main, [*given, *more])
        assert isinstance(result.exception, SystemExit | None), result.exc_info
        return result.output

    for ending, begins in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
        target = tmp_path / f"curve{ending}"
        assert run("--x", "overlap", "--figure", str(target)) == f"Figure: {target}\n"
        assert target.read_bytes().startswith(begins)
    assert "ends in .png, .svg, .pdf" in run("--figure", str(tmp_path / "curve.gif"))
    assert "name its file with --figure" in run("--y", "overlap")
    assert "there is no folder" in run("--figure", str(tmp_path / "none" / "curve.png"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curve.pdf", "curve.png", "curve.svg"]
