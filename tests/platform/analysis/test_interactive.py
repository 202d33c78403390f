from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import normlaw
from normlaw.analysis.figures import drawn_of, style
from normlaw.analysis.interactive.bokeh_figure import data_of, interactive, plain_text, round_numbers
from normlaw.analysis.interactive.embedding import item_of
from normlaw.analysis.interactive.looks import hexadecimal
from normlaw.analysis.interactive.series import plot_of
from normlaw.analysis.rescaling import rescaled
from normlaw_tests.two_settings import of_the_first, two_settings


@pytest.fixture(scope="module")
def analysis() -> normlaw.Analysis:
    return normlaw.fit(of_the_first(two_settings()), norm="first", protocol="released", window=(None, 0.3))


def test_every_figure_in_motion_has_the_numbers_of_the_one_in_print(analysis: normlaw.Analysis) -> None:
    from bokeh.embed import json_item

    drawings = {draw.__name__: draw(analysis, style.PAGE) for draw in drawn_of(analysis)}
    for name in ("error_against_norm", "collapse", "optimal_norm", "endpoint_law"):
        drawing = drawings[name]
        figure, plot = interactive(drawing)
        sources = {source.name: source.data for source in figure.select({"type": _sources()})}
        assert sources.keys() == data_of(plot).keys() == {one.key for one in plot.series}
        assert len(sources) == len(plot.series), "no two have one name"
        numbers = drawing.numbers()
        for one in plot.series:
            rows = numbers[numbers["series"] == one.name]
            if one.train_size is not None:
                rows = rows[rows["train_size"] == one.train_size]
            high = next(
                (c for c in ("error", "ratio", "exponent") if c in rows and rows[c].notna().all()), None
            )
            expected = rows[high] if high else 10 ** rows["log10_norm"]
            assert np.allclose(sources[one.key]["y"], expected), (name, one.key)
        assert figure.yaxis[0].axis_label == plain_text(drawing.axes[0].get_ylabel())
        text = json.dumps(json_item(figure))
        assert "http" not in text.replace("http://www.w3.org", "")


def test_a_page_is_told_of_a_figure_what_bokeh_tells_of_it(analysis: normlaw.Analysis) -> None:
    from bokeh.embed import json_item

    drawing = next(draw for draw in drawn_of(analysis) if draw.__name__ == "error_against_norm")
    drawn = drawing(analysis, style.PAGE)
    own, of_bokeh = (item(interactive(drawn)[0]) for item in (lambda one: item_of(one, "figure"), json_item))

    def unnamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: unnamed(one) for key, one in value.items() if key not in ("id", "root_id")}
        return [unnamed(one) for one in value] if isinstance(value, list | tuple) else value

    # as text, which tells NaN from no other
    assert json.dumps(unnamed(own)) == json.dumps(unnamed(of_bokeh))
    assert own["root_id"] == own["doc"]["roots"][0]["id"]


def test_axes_end_where_they_do_in_print_however_far_limits_run() -> None:
    drawing, axes = style.new_figure()
    drawing.record("departure", train_size=[8, 16], log10_norm=[1.0, 2.0], low=[0.5, 1.0], high=[1.5, 30.0])
    drawing.record("law of gamma_2", train_size=[8, 16], log10_norm=[1.0, 2.0])
    axes.set_xscale("log")
    axes.set_xlim(7, 20)
    axes.set_ylim(0.5, 3.0)
    figure, plot = interactive(drawing)
    assert (figure.x_range.start, figure.x_range.end) == (7.0, 20.0)
    assert (figure.y_range.start, figure.y_range.end) == pytest.approx((10**0.5, 1e3))
    assert max(plot.series[0].columns["high"]) == pytest.approx(1e30), "the number is there all the same"
    followed, _ = interactive(drawing, as_printed=False)
    assert [one.name for one in followed.y_range.renderers] == [
        "marks departure",
        "lines law of gamma_2",
    ]
    on_curves, axes = style.new_figure()
    on_curves.record("mean over runs", train_size=8, log10_norm=[0.0, 1.0], error=[0.5, 0.2])
    on_curves.record("single run", train_size=8, log10_norm=[0.0, 1.3], error=[0.6, 0.1], run="a", name="a")
    axes.set_yscale("log")
    axes.set_xlim(-0.1, 1.1)
    axes.set_ylim(0.18, 0.55)
    figure, _ = interactive(on_curves)
    ends = (figure.x_range.start, figure.x_range.end, figure.y_range.start, figure.y_range.end)
    assert ends == pytest.approx((10**-0.1, 10**1.3, 0.1, 0.6)), "measured curves are seen whole"


def _sources() -> type:
    from bokeh.models import ColumnDataSource

    found: type = ColumnDataSource
    return found


def test_train_sizes_are_told_apart_without_colour(analysis: normlaw.Analysis) -> None:
    figure, plot = interactive(drawn_of(analysis)[0](analysis, style.PAGE))
    marks = [r.glyph for r in figure.renderers if str(r.name).startswith("marks mean over runs")]
    assert len({glyph.marker for glyph in marks}) == len(marks) == len(plot.train_sizes)
    colours = [hexadecimal(colour) for colour, _ in style.size_styles(plot.train_sizes).values()]
    assert [glyph.line_color for glyph in marks] == colours
    shades = [sum(w * int(c[i : i + 2], 16) for w, i in ((0.3, 1), (0.59, 3), (0.11, 5))) for c in colours]
    assert shades == sorted(shades), "in grey, larger sizes are lighter"


def test_norms_that_no_axis_holds_are_shown_by_their_logs() -> None:
    part = pd.DataFrame(
        {"series": "mean over runs", "train_size": 8, "log10_norm": [10.0, 400.0], "error": [0.5, 0.1]}
    )
    plot = plot_of([part])
    assert (plot.x_log, plot.series[0].columns["x"]) == (False, [10.0, 400.0])
    near = plot_of([part.assign(log10_norm=[1.0, 2.0])])
    assert (near.x_log, near.series[0].columns["x"]) == (True, [10.0, 100.0])
    assert plain_text(r"least $ε_\mathrm{opt}$ (fraction)") == "least ε_opt (fraction)"


def test_axes_have_the_numbers_of_print_however_little_they_span() -> None:
    for low, high in ((1.0, 2e5), (51.0, 69.0), (0.30, 0.32), (1e-9, 1e9)):
        part = pd.DataFrame({"series": "least error", "train_size": [8, 16], "error": [low, high]})
        numbers = round_numbers(plot_of([part]), across=False)
        assert sum(low <= number <= high for number in numbers) >= 3, (low, high)
        assert all(number == float(f"{number:.6g}") for number in numbers)
    assert (numbers[1e-9], numbers[1.0]) == ("10⁻⁹", "1")


def test_single_runs_keep_what_leads_to_them() -> None:
    part = pd.DataFrame(
        {"series": "single run", "train_size": 8, "log10_norm": [0.0, 1.0, 0.0], "error": [0.5, 0.1, 0.2],
         "run": ["a", "a", "b"], "name": ["<b>", "<b>", "c"]}
    )  # fmt: skip
    (one,) = plot_of([part]).series
    assert one.columns == {
        "x": [[1.0, 10.0], [1.0]], "y": [[0.5, 0.1], [0.2]], "run": ["a", "b"], "name": ["<b>", "c"],
    }  # fmt: skip


def scaling_curves(gamma_1: float, gamma_2: float) -> pd.DataFrame:
    """Return curves that are one curve by these exponents: error = P^-(g1 g2) (y^-g1 + y/5), y = norm/P^g2."""
    frames = []
    for size in (100, 400, 1600):
        x = np.linspace(0, 6, 40)
        y = x - gamma_2 * np.log(size)
        log_error = np.log(np.exp(-gamma_1 * y) + np.exp(y) / 5) - gamma_1 * gamma_2 * np.log(size)
        frames.append(pd.DataFrame({"train_size": size, "log_norm": x, "log_error": log_error}))
    return pd.concat(frames, ignore_index=True)


def test_the_right_exponents_lay_curves_over_one_another_and_others_do_not() -> None:
    means = scaling_curves(0.8, 0.4)
    right = rescaled(means, 0.8, 0.4)
    assert right.spread == pytest.approx(0.0, abs=5e-3)  # linear between points
    for wrong in ((0.8, 0.2), (0.5, 0.4), (1.2, 0.6)):
        assert (rescaled(means, *wrong).spread or 0) > 0.05
    assert rescaled(means, 0.8, 0.4, gamma_0=0.3).spread == pytest.approx(
        0.3 * np.std(np.log([100, 400, 1600]), ddof=1), abs=5e-3
    )
    assert rescaled(means[means["train_size"] == 100], 1, 1).spread is None
    assert rescaled(means, 0.8, 9.0).spread is None  # no norms in common
