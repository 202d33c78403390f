"""A figure as files: laid out once, and drawn once for each."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib._mathtext import Parser

from normlaw.analysis.figures import style
from normlaw.analysis.figures.drawing import Drawing
from normlaw_tests.figure_files import all_files


def drawn() -> Drawing:
    figure = Drawing(3.0, 2.0)
    axes = figure.subplots()
    axes.plot([1.0, 2.0], [1.0, 3.0], label="a line")
    axes.set_ylabel("a label that takes room")
    axes.legend()
    return figure


def test_a_figure_is_drawn_once_a_file_and_once_more_for_the_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    draws: list[object] = []
    draw = Drawing.draw

    def counted(self: Drawing, renderer: Any) -> None:
        draws.append(renderer)
        draw(self, renderer)

    monkeypatch.setattr(Drawing, "draw", counted)
    with all_files():
        assert list(style.render(drawn(), "paper")) == ["svg", "png", "pdf"]
    assert len(draws) == 4


def test_a_formula_is_parsed_once_for_all_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = Parser.parse

    def noted(self: Parser, s: str, *args: Any) -> Any:
        parsed.append(s)
        return parse(self, s, *args)

    monkeypatch.setattr(Parser, "parse", noted)
    files = []
    for _ in range(2):
        figure = drawn()
        figure.axes[0].set_xlabel(r"in this test alone $λ_\mathrm{opt}$")
        files.append(style.printed(figure))
    assert len(parsed) == 2  # in the size that text is measured in, and in its own
    assert files[0] == files[1]


def test_all_files_have_the_layout_of_the_first() -> None:
    figure = drawn()
    unlaid = figure.axes[0].get_position().bounds
    figure.draw_without_rendering()
    laid_out = figure.axes[0].get_position().bounds
    assert laid_out != pytest.approx(unlaid, abs=1e-3)
    with all_files():
        style.render(figure, "page")
    assert figure.axes[0].get_position().bounds == pytest.approx(laid_out, abs=2e-3)
