"""Figures: what is drawn is what was found, marks lie on curves, and the numbers drawn stand beside."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from scipy.stats import chi2

from normlaw.analysis import Analysis, Options, analyse, render, report, write
from normlaw.analysis import figures as drawings
from normlaw.analysis.figures import figures
from normlaw.analysis.figures.captions import CAPTIONS, caption
from normlaw.analysis.figures.collapse import collapse
from normlaw.analysis.figures.drawing import Printed
from normlaw.analysis.figures.endpoint_law import endpoint_law
from normlaw.analysis.figures.error_against_norm import error_against_norm
from normlaw.analysis.figures.joint_region import ellipse, joint_region
from normlaw.analysis.figures.optimal_norm import optimal_norm
from normlaw.analysis.figures.scales import MOST, decades, decimal
from normlaw.analysis.figures.style import COLUMN, PAGE
from normlaw_registry import (
    AnalysisProtocol,
    AnalysisWarning,
    Catalogue,
    Estimate,
    Findings,
    NormlawError,
    Params,
    load_catalogue,
)
from normlaw_registry.host import PluginRecord
from normlaw_tests.figure_files import all_files

LN10 = float(np.log(10.0))
LARGEST = 2_000_000
"""Bytes of a figure's file."""
MODEL = {"error_against_norm", "departure", "collapse", "local_exponent", "optimal_norm", "endpoint_law"}
GAMMA_1, GAMMA_2, AMPLITUDE = 0.5, 1.0, 3.0


class NoParams(Params):
    pass


def of_envelope(curves: pd.DataFrame, params: NoParams, context) -> Findings:
    """Answer with the exact envelope of `make_study`'s curves, and the departures where it bends."""
    sizes = np.unique(curves["train_size"])
    departures = 9.0 + GAMMA_2 * np.log(sizes / sizes[0])
    x = np.linspace(curves["log_norm"].min(), departures.max() + 1, 40)

    def envelope(log_norm):
        return np.log(0.2) - GAMMA_1 * (log_norm - 10)

    fitted = pd.concat(
        pd.DataFrame(
            {
                "train_size": size,
                "log_norm": x,
                "log_error": envelope(x) + np.log1p(np.exp(x - start - 1)),
            }
        )
        for size, start in zip(sizes, departures, strict=True)
    )
    least = -GAMMA_1 * GAMMA_2 * np.log(sizes / sizes[0]) - 1.4

    def predict(train_sizes, log_norms):
        value = -GAMMA_1 * GAMMA_2 * np.log(np.asarray(train_sizes) / sizes[0]) - 1.4
        return pd.DataFrame({"log_error": value, "log_error_low": value - 0.1, "log_error_high": value + 0.1})

    def number(value: float, definition: str = "") -> Estimate:
        return Estimate.normal(value, 0.02, context.confidence, definition)

    return Findings(
        gamma_1=number(GAMMA_1),
        gamma_2=number(GAMMA_2),
        gamma_pred=number(GAMMA_1 * GAMMA_2),
        gamma_meas=number(0.51),
        further={"gamma_0": number(0.3, "slope of the envelope where it begins")},
        verdict="cannot_tell",
        reasons=(AnalysisWarning(code="short_envelope", message="the envelope spans too few norms"),),
        tables={
            "curves_fitted": fitted,
            "envelope": pd.DataFrame(
                {
                    "log_norm": x,
                    "log_error": envelope(x),
                    "low": envelope(x) - 0.05,
                    "high": envelope(x) + 0.05,
                }
            ),
            "local_exponent": pd.DataFrame({"log_norm": x, "gamma_1": GAMMA_1, "low": 0.4, "high": 0.6}),
            "departures": pd.DataFrame(
                {"train_size": sizes, "log_norm": departures, "low": departures - 0.2, "high": np.nan}
            ),
            "endpoints": pd.DataFrame(
                {"train_size": sizes, "log_error": least, "low": least - 0.1, "high": least + 0.1}
            ),
        },
        extras={"joint": {"mean": [0.5, 0.51], "covariance": [[4e-4, 1e-4], [1e-4, 2e-4]]}},
        predict=predict,
    )


def catalogue_with(protocol) -> Catalogue:
    mine = AnalysisProtocol(name="mine", summary="Mine", analyse=protocol, params=NoParams)
    record = PluginRecord(name="guest", module="guest", distribution="guest", version="1", components=(mine,))
    return Catalogue.of([*load_catalogue().records, record])


@pytest.fixture(scope="module")
def analysis(make_study) -> Analysis:
    return analyse(make_study(noise=0.03), catalogue_with(of_envelope), Options(protocol="mine"))


@pytest.fixture(scope="module")
def drawn(analysis) -> dict[str, Any]:
    """Return the figures, for a test to look at."""
    return figures(analysis)


@pytest.fixture(scope="module")
def folder(analysis, tmp_path_factory) -> Path:
    """Return the folder of all figures, for page and column, as SVG."""
    place = tmp_path_factory.mktemp("figures") / "out"
    write(analysis, place, figures="paper")
    return place / "figures"


@pytest.fixture(scope="module")
def page(folder) -> str:
    """Return the report."""
    return (folder.parent / "report.html").read_text()


@pytest.mark.slow
def test_each_is_written_for_page_and_column_with_its_numbers_in_2_mb(folder) -> None:
    names = MODEL | {"joint_region"}
    for place in (folder, folder / "column"):
        for name in names:
            for ending in ("svg", "csv"):
                file = place / f"{name}.{ending}"
                assert 0 < file.stat().st_size <= LARGEST, file
    assert {path.stem for path in folder.iterdir() if path.is_file()} == names


@pytest.mark.slow
def test_one_for_print_is_written_in_every_format(analysis, monkeypatch, tmp_path) -> None:
    """The one with the most in it: every file takes a second, and all figures are written by the same lines."""
    monkeypatch.setattr(drawings, "drawn_of", lambda _: [error_against_norm])
    with all_files():
        write(analysis, tmp_path / "out", figures="paper")
    for place in ("figures", "figures/column"):
        for ending in ("png", "svg", "pdf", "csv"):
            file = tmp_path / "out" / place / f"error_against_norm.{ending}"
            assert 0 < file.stat().st_size <= LARGEST, file


@pytest.mark.parametrize("size", [PAGE, COLUMN], ids=["page", "column"])
def test_figures_have_the_size_and_the_font_asked_for(analysis, drawn, size) -> None:
    for name, figure in (drawn if size is PAGE else figures(analysis, size)).items():
        assert figure.get_size_inches()[0] == size.width, name
        texts = [text for axes in figure.axes for text in (*axes.get_xticklabels(), *axes.get_yticklabels())]
        assert min(text.get_fontproperties().get_size_in_points() for text in texts) >= 7, name


@pytest.mark.slow
def test_the_numbers_beside_a_figure_are_those_drawn(analysis, folder) -> None:
    for name, figure in figures(analysis).items():
        beside = pd.read_csv(folder / f"{name}.csv")
        pd.testing.assert_frame_equal(beside, figure.numbers().reset_index(drop=True), check_dtype=False)
        y = {"error_against_norm": "error", "departure": "ratio", "collapse": "ratio"}.get(name)
        if y is None:
            continue
        drawn = {line.get_label(): line for line in figure.axes[0].lines}
        for train_size, rows in beside[beside["series"] == "mean over runs"].groupby("train_size"):
            line = drawn[f"{train_size:,.0f}"]
            np.testing.assert_allclose(np.asarray(line.get_xdata()), rows["log10_norm"])
            np.testing.assert_allclose(np.asarray(line.get_ydata()), rows[y])


def test_marks_lie_on_the_curves_drawn(drawn) -> None:
    axes = drawn["error_against_norm"].axes[0]
    lines = [
        (np.asarray(line.get_xdata()), np.log(np.asarray(line.get_ydata())))
        for line in axes.lines
        if line.get_linestyle() == "-" and np.size(line.get_xdata()) > 2
    ]
    (optima,) = (line for line in axes.lines if line.get_label() == "optimum")
    (bars,) = (c for c in axes.containers if c.get_label() == "departure")
    assert isinstance(bars, ErrorbarContainer)
    departures = bars.lines[0]
    for marks in (optima, departures):
        at, errors = np.asarray(marks.get_xdata()), np.asarray(marks.get_ydata())
        assert np.isfinite(errors).all()
        for x, y in zip(at, np.log(errors), strict=True):
            assert min(abs(np.interp(x, *line) - y) for line in lines) < 1e-9


def test_the_band_holds_the_runs_of_a_size(analysis, drawn) -> None:
    numbers = drawn["error_against_norm"].numbers()
    rows = numbers[(numbers["series"] == "mean over runs") & (numbers["train_size"] == 4000)]
    runs = analysis.curves[analysis.curves["train_size"] == 4000]
    at = float(rows["log10_norm"].iloc[20] * LN10)
    errors = [np.interp(at, run["log_norm"], run["test_error"]) for _, run in runs.groupby("run")]
    assert rows["low"].iloc[20] == pytest.approx(min(errors))
    assert rows["high"].iloc[20] == pytest.approx(max(errors))
    assert "least to largest of the runs" in caption("error_against_norm", analysis)


def test_the_departure_function_is_the_curve_over_the_envelope(analysis, drawn) -> None:
    numbers = drawn["departure"].numbers()
    rows = numbers[(numbers["series"] == "mean over runs") & (numbers["train_size"] == 2000)]
    start = 9.0 + np.log(2)
    means = analysis.mean_curves[analysis.mean_curves["train_size"] == 2000]
    for x, ratio in rows[["log10_norm", "ratio"]].dropna().to_numpy():
        log_norm = x * LN10 + start
        error = np.exp(np.interp(log_norm, means["log_norm"], means["log_error"]))
        assert ratio == pytest.approx(error / (0.2 * np.exp(-GAMMA_1 * (log_norm - 10))), rel=1e-6)
    largest = numbers[numbers["train_size"] == 32000]
    assert largest["ratio"].isna().any()  # nothing is said of norms beyond the envelope's


def test_the_endpoint_law_reaches_ten_times_the_largest_size(analysis, drawn) -> None:
    numbers = drawn["endpoint_law"].numbers().set_index("series")
    predicted, model = numbers.loc["predicted law"], numbers.loc["predicted by the model"]
    for rows, last in ((predicted, 32_000), (model, 320_000)):
        assert rows["train_size"].iloc[-1] == pytest.approx(last)
        assert (rows["low"] <= rows["error"]).all()
        assert (rows["error"] <= rows["high"]).all()
    slope = np.polyfit(np.log(predicted["train_size"]), np.log(predicted["error"]), 1)[0]
    assert slope == pytest.approx(-analysis.gamma_pred.value)
    least = numbers.loc["least error"]
    centre = np.exp(np.log(least[["train_size", "error"]].astype(float)).mean())
    at = np.interp(np.log(centre["train_size"]), np.log(predicted["train_size"]), np.log(predicted["error"]))
    assert at == pytest.approx(np.log(centre["error"]))


def test_without_a_model_the_predicted_slope_reaches_ten_times_the_largest_size(analysis) -> None:
    without = replace(analysis, findings=replace(analysis.findings, predict=None))
    numbers = endpoint_law(without).numbers()
    assert "predicted by the model" not in set(numbers["series"])
    assert numbers.loc[numbers["series"] == "predicted law", "train_size"].max() == pytest.approx(320_000)


def test_a_run_that_is_alone_is_no_mean(analysis, make_study) -> None:
    alone = make_study(noise=0.0)
    alone = alone[alone["seed"] == alone["seed"].min()]
    one = analyse(alone, catalogue_with(of_envelope), Options(protocol="mine"))
    for each, told in ((analysis, True), (one, False)):
        _, labels = optimal_norm(each).axes[0].get_legend_handles_labels()
        assert ("mean over runs ± standard error" in labels) is told
        assert "run" in labels


@pytest.mark.parametrize("gamma_1", [3.0, 0.5, -2.0, 0.0])
def test_the_slope_of_the_early_law_stays_among_the_curves(analysis, gamma_1) -> None:
    steep = replace(analysis.findings.gamma_1, value=gamma_1)
    numbers = collapse(replace(analysis, findings=replace(analysis.findings, gamma_1=steep))).numbers()
    law, curves = (numbers[numbers["series"] == name] for name in ("early law", "mean over runs"))
    assert law["ratio"].max() <= curves["ratio"].max() * (1 + 1e-9)
    assert law["ratio"].min() >= curves["ratio"].min() * (1 - 1e-9)
    across = np.diff(law["log10_norm"] * LN10)
    assert across > 0
    np.testing.assert_allclose(np.diff(np.log(law["ratio"])), -gamma_1 * across, atol=1e-9)


@pytest.mark.parametrize(
    ("stderr", "to_scale"), [((0.02, 0.01), True), ((1.0, 0.004), False), ((0.001, 0.001), True)]
)
@pytest.mark.parametrize("size", [PAGE, COLUMN], ids=["page", "column"])
def test_the_joint_region_is_seen_whatever_its_shape(analysis, stderr, to_scale, size) -> None:
    joint = {"mean": [0.515, 0.511], "covariance": np.diag(np.square(stderr)).tolist()}
    findings = replace(analysis.findings, extras={"joint": joint})
    figure = joint_region(replace(analysis, findings=findings), size)
    axes = figure.axes[0]
    figure.draw_without_rendering()
    assert (axes.get_aspect() == 1) is to_scale
    numbers = figure.numbers()
    region = numbers[numbers["series"] == "95% region"]
    for name, (low, high) in (("gamma_pred", axes.get_xlim()), ("gamma_meas", axes.get_ylim())):
        assert low < region[name].min()
        assert region[name].max() < high
        assert (high - low) < (30 if to_scale else 3) * (region[name].max() - region[name].min())
    boxes = [text.get_window_extent() for text in axes.get_xticklabels()]
    seen = [b for b in boxes if axes.bbox.x0 <= (b.x0 + b.x1) / 2 <= axes.bbox.x1]
    assert len(seen) >= 2
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(seen))  # none on another


@pytest.mark.parametrize("level", [0.68, 0.95])
def test_an_ellipse_holds_its_share(level) -> None:
    mean, covariance = np.array([0.3, 0.4]), np.array([[4e-4, 1.5e-4], [1.5e-4, 2e-4]])
    away = np.stack(ellipse(mean, covariance, level)) - mean[:, None]
    distance = (away * np.linalg.solve(covariance, away)).sum(axis=0)
    np.testing.assert_allclose(distance, chi2(2).ppf(level))


def test_a_model_that_cannot_predict_is_named(make_study) -> None:
    def broken(*given):
        return replace(of_envelope(*given), predict=lambda *_: pd.DataFrame({"log_error": [1 / 0]}))

    analysis = analyse(make_study(), catalogue_with(broken), Options(protocol="mine"))
    with pytest.raises(NormlawError, match=r"`predict` of protocol 'mine' failed: ZeroDivisionError"):
        figures(analysis)


@pytest.mark.parametrize(
    ("shift", "options"),
    [
        *((shift, Options(protocol="automatic", draws=100)) for shift in (0.0, 90.0, 5000.0)),
        pytest.param(5000.0, Options(protocol="envelope"), marks=pytest.mark.slow),
    ],
)
def test_labels_are_decimal_and_few_at_any_norm(make_study, shift, options) -> None:
    study = make_study(seeds=2)
    study["log_norm"] += shift
    for name, figure in figures(analyse(study, load_catalogue(), options)).items():
        if shift == 90.0:
            figure.draw_without_rendering()  # laid out: that takes most of the time
        for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis):
            low, high = sorted(axis.get_view_interval())
            seen = [
                label.get_text() for label in axis.get_ticklabels() if low <= label.get_position()[0] <= high
            ]
            assert len(axis.get_majorticklocs()) <= 12, (name, seen)
            assert len(set(seen)) == len(seen), (name, seen)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-4, 2), (43.0, 43.2), (0.30, 0.31), (-3, 400), (2.1, 2.9)])
def test_ticks_are_round_numbers_within(low, high) -> None:
    ticks = decades(low, high)
    assert 2 <= len(ticks) <= MOST
    assert all(low - 1e-6 <= tick <= high + 1e-6 for tick in ticks)
    assert len({decimal(tick) for tick in ticks}) == len(ticks)


@pytest.mark.slow
def test_every_figure_has_a_caption_of_one_line_in_the_report(analysis, drawn, page, make_study) -> None:
    options = Options(protocol="automatic", draws=100, compare_norms=True)
    automatic = analyse(make_study(), load_catalogue(), options)
    others = figures(automatic)
    of_layers = {"layer_norms", "layer_growth", "singular_values"}
    of_arms = {"cause_curves", "cause_shares", "cause_doses"}
    of_other_tests = {*of_layers, *of_arms, "scaling_collapse", "collapse_floors"}  # not asked for
    assert {*drawn, *others} == set(CAPTIONS) - of_other_tests
    of_others = report(automatic, drawings={name: Printed(figure, b"") for name, figure in others.items()})
    for one, names, shown in ((analysis, drawn, page), (automatic, others, of_others)):
        for name in names:
            told = caption(name, one)
            assert told
            assert "\n" not in told
            assert told.replace("'", "&#39;") in shown


@pytest.mark.slow
def test_the_verdict_comes_first(analysis, page) -> None:
    first = "verdict: these curves do not tell whether the laws hold\n  short_envelope: the envelope spans"
    assert render(analysis).startswith(first)
    assert page.index("short_envelope") < page.index("<h2>Exponents</h2>")
    assert "gamma_0" in render(analysis)


def test_limits_that_run_away_leave_what_was_measured_in_sight(make_study) -> None:
    def wild(curves: pd.DataFrame, params: NoParams, context) -> Findings:
        found = of_envelope(curves, params, context)
        pred = replace(found.gamma_pred, low=-900.0, high=900.0)
        departures = found.tables["departures"].assign(low=-1e5, high=1e5)
        return replace(found, gamma_pred=pred, tables={**found.tables, "departures": departures})

    drawn = figures(analyse(make_study(noise=0.03), catalogue_with(wild), Options(protocol="mine")))
    low, high = np.log(drawn["endpoint_law"].axes[0].get_ylim())
    assert high - low < 20
    low, high = drawn["optimal_norm"].axes[0].get_ylim()
    assert high - low < 10
    low, high = drawn["error_against_norm"].axes[0].get_xlim()
    norms = make_study(noise=0.03)["log_norm"] / LN10
    assert high - low < 1.3 * (norms.max() - norms.min())


def test_what_was_not_found_is_not_drawn(make_study) -> None:
    def nothing(curves: pd.DataFrame, params: NoParams, context) -> Findings:
        found = of_envelope(curves, params, context)
        nan = replace(found.gamma_1, value=np.nan, stderr=np.nan, low=np.nan, high=np.nan)
        nowhere = found.tables["departures"].assign(log_norm=np.nan, low=np.nan, high=np.nan)
        tables = {**found.tables, "departures": nowhere}
        return replace(found, gamma_1=nan, gamma_2=nan, gamma_pred=nan, tables=tables)

    drawn = figures(analyse(make_study(noise=0.03), catalogue_with(nothing), Options(protocol="mine")))
    assert "departure" not in drawn
    for name, figure in drawn.items():
        legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]
        told = [text.get_text() for each in legends for text in each.get_texts()]
        assert not [text for text in told if "nan" in text or "depart" in text], name


def test_the_departure_function_is_one_where_sizes_have_envelopes_of_their_own(make_study) -> None:
    def apart(curves: pd.DataFrame, params: NoParams, context) -> Findings:
        found = of_envelope(curves, params, context)
        table = found.tables["departures"]
        shift = 0.3 * np.log(table["train_size"].max() / table["train_size"])
        return replace(found, tables={**found.tables, "departures": table.assign(envelope_shift=shift)})

    study = make_study(noise=0.0, ceiling=0.5)
    raised = study["test_error"] * (study["train_size"].max() / study["train_size"]) ** 0.3 / 3
    one, other = (
        figures(analyse(curves, catalogue_with(protocol), Options(protocol="mine")))["departure"].numbers()
        for curves, protocol in ((study, of_envelope), (study.assign(test_error=raised), apart))
    )
    first, second = (part[part["series"] == "mean over runs"]["ratio"].to_numpy() for part in (one, other))
    np.testing.assert_allclose(second * 3, first, rtol=1e-9)
