"""A figure as Bokeh draws it: zoom, exact values under the pointer, lines that a click on the legend hides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.scales import BESIDE_POWERS, PLAIN, decimal
from normlaw.analysis.figures.scales import decades as decades_between
from normlaw.analysis.figures.view import Ends
from normlaw.analysis.interactive.looks import MARKERS, Look, hexadecimal, look_of
from normlaw.analysis.interactive.series import LARGEST, Plot, Series, plot_of
from normlaw.analysis.interactive.single_runs import SINGLE

if TYPE_CHECKING:
    from normlaw.analysis.figures.drawing import Drawing

HEIGHT = 420
MANTISSAS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
"""Numbers within a decade that bear a label; of many decades their beginnings alone."""
FEW = 4
"""Decades up to which they do."""
BEYOND = 2
"""Decades beyond the data that have labels."""
TOOLS = "pan,box_zoom,wheel_zoom,reset,tap"


def interactive(drawing: Drawing, plot: Plot | None = None, *, as_printed: bool = True) -> tuple[Any, Plot]:
    """Return a figure as Bokeh draws it, and the numbers in it; its labels are those of the axes in print.

    Args:
        drawing: the figure in print.
        plot: what is drawn; default: what the figure records.
        as_printed: whether the axes end where they do in print; else where lines and marks do, also when these
            get other numbers later.

    """
    from bokeh.models import Range1d

    plot = plot or plot_of(drawing.parts)
    axes = drawing.axes[0]
    label = plain_text(axes.get_xlabel())
    if not plot.x_log and plot.holds is None:
        label = f"log₁₀ of {label}"
    drawn = bokeh_figure(plot, label, plain_text(axes.get_ylabel()))
    if as_printed:
        drawn.x_range, drawn.y_range = (Range1d(*ends) for ends in ends_of(drawing, plot))
    else:
        seen = [one for one in drawn.renderers if str(one.name).startswith(("lines ", "marks "))]
        drawn.x_range.renderers = drawn.y_range.renderers = seen
    if drawing.common is not None:
        from bokeh.models import BoxAnnotation

        left, right = (10.0**end if plot.x_log else end for end in drawing.common)
        grey = BoxAnnotation(left=left, right=right, fill_color=style.PALE, fill_alpha=1.0, level="underlay")
        drawn.add_layout(grey)
    return drawn, plot


def ends_of(drawing: Drawing, plot: Plot) -> tuple[Ends, Ends]:
    """Return where the axes end: where they do in print, which cuts limits that run away, or at single runs.

    Args:
        drawing: the figure in print, whose axes hold log10 of norms.
        plot: what is drawn.

    """
    axes = drawing.axes[0]
    found: list[Ends] = []
    for name, printed, of_norm, is_log in (
        ("x", axes.get_xlim(), not plot.of_size, plot.x_log),
        ("y", axes.get_ylim(), plot.norm_is_high, plot.y_log),
    ):
        ends = np.array(printed)
        if of_norm and is_log:
            ends = np.power(10.0, np.clip(ends, -LARGEST, LARGEST))
        runs = np.concatenate([ends, *(one.numbers(name) for one in plot.series if one.name == SINGLE)])
        found.append((float(np.nanmin(runs)), float(np.nanmax(runs))))
    return found[0], found[1]


def bokeh_figure(plot: Plot, x_label: str, y_label: str) -> Any:
    """Return the figure of a plot."""
    from bokeh.models import FixedTicker, Legend, LegendItem, NoOverlap
    from bokeh.plotting import figure

    drawn = figure(
        height=HEIGHT,
        sizing_mode="stretch_width",
        x_axis_type="log" if plot.x_log else "auto",
        y_axis_type="log" if plot.y_log else "auto",
        x_axis_label=x_label,
        y_axis_label=y_label,
        tools=TOOLS,
        active_drag="box_zoom",
        toolbar_location="above",
        output_backend="canvas",
    )
    drawn.toolbar.logo = None
    styles = style.size_styles(plot.train_sizes)
    items: list[Any] = []
    for one in plot.series:
        look = one.look or look_of(one.name, of_size=plot.of_size)
        colour, marker = look.colour, look.marker
        if one.train_size is not None:
            own, sign = styles[one.train_size]
            colour = colour or hexadecimal(own)
            marker = MARKERS[sign] if marker == "own" else marker
        elif marker == "own":
            marker = "circle"
        renderers = _draw(drawn, one, look, colour or style.QUIET, marker)
        if one.name != SINGLE and not (one.name == "fitted" and len(plot.train_sizes) > 1):
            label = f"{one.train_size:,}" if one.train_size is not None else symbols(one.name)
            items.append(LegendItem(label=label, renderers=renderers))
    legend = Legend(items=items, click_policy="hide", label_text_font_size="11px", spacing=0, padding=4)
    legend.title = "train size P" if plot.train_sizes else None
    drawn.add_layout(legend, "right")
    _hover(drawn, plot)
    for axis, is_log in ((drawn.xaxis[0], plot.x_log), (drawn.yaxis[0], plot.y_log)):
        if is_log:
            labels = round_numbers(plot, axis is drawn.xaxis[0])
            axis.ticker = FixedTicker(ticks=list(labels))
            axis.major_label_overrides = labels
            axis.major_label_policy = NoOverlap()
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_color = axis.major_label_text_color = style.INK
    return drawn


def data_of(plot: Plot) -> dict[str, dict[str, list[Any]]]:
    """Return the numbers of each series by its key: what changes while runs are trained."""
    return {one.key: _columns(one, look_of(one.name, of_size=plot.of_size)) for one in plot.series}


def round_numbers(plot: Plot, across: bool) -> dict[float, str]:
    """Return the round numbers that a logarithmic axis may label as one zooms, written as in print."""
    values = np.concatenate([np.ones(0), *(one.numbers("x" if across else "y") for one in plot.series)])
    logs = np.log10(values[np.isfinite(values) & (values > 0)])
    if not len(logs):
        return {}
    ends = float(logs.min()), float(logs.max())
    low, high = int(np.floor(ends[0])), int(np.ceil(ends[1]))
    mantissas = MANTISSAS if high - low <= FEW else MANTISSAS[:1]
    decades = range(low - BEYOND, min(high + BEYOND, 307) + 1)
    plain = PLAIN if PLAIN[0] <= low and high < PLAIN[1] else BESIDE_POWERS
    numbers = [float(f"{mantissa}e{decade}") for decade in decades for mantissa in mantissas]
    if ends[0] < ends[1]:  # what spans a part of a decade lies between these
        numbers += [float(f"{10**log:.6g}") for log in decades_between(*ends)]
    return {number: decimal(float(np.log10(number)), plain) for number in sorted({*numbers}) if number > 0}


def symbols(name: str) -> str:
    """Return the name of a series with the signs of exponents.

    >>> symbols("law of gamma_2")
    'law of γ₂'
    """
    return re.sub(r"\bgamma_(\d)\b", lambda found: "γ" + chr(ord("₀") + int(found[1])), name)


def plain_text(label: str) -> str:
    """Return a label without the marks of formulas.

    >>> plain_text("least test error $ε_\\\\mathrm{opt}$ (fraction)")
    'least test error ε_opt (fraction)'
    """
    return re.sub(r"\\mathrm\{(\w+)\}", r"\1", label).replace("$", "")


def _columns(one: Series, look: Look) -> dict[str, list[Any]]:
    """Return the columns of a series with numbers that are not known as NaN, as Bokeh draws gaps."""
    found = dict(one.columns)
    if one.name != SINGLE:
        found = {name: [np.nan if v is None else v for v in values] for name, values in found.items()}
    if one.train_size is not None:
        found["train_size"] = [one.train_size] * len(found["x"])
    if "low" in found and look.band:
        keep = [np.isfinite(a) and np.isfinite(b) for a, b in zip(found["low"], found["high"], strict=True)]
        found["band_low"] = [v if k else y for v, k, y in zip(found["low"], keep, found["y"], strict=True)]
        found["band_high"] = [v if k else y for v, k, y in zip(found["high"], keep, found["y"], strict=True)]
    return found


def _draw(drawn: Any, one: Series, look: Look, colour: str, marker: str | None) -> list[Any]:
    """Draw a series; what the plotting interface would make for each part of it is made once, or not at all."""
    from bokeh.models import CDSView, ColumnDataSource, GlyphRenderer, Line, MultiLine, Scatter, Segment, VArea

    source = ColumnDataSource(data=_columns(one, look), name=one.key)
    view, before = CDSView(), len(drawn.renderers)

    def add(glyph: Any, name: str | None = None, **states: Any) -> None:
        states = {"nonselection_glyph": None, **states}  # a click leaves all else as it is
        drawn.renderers.append(GlyphRenderer(data_source=source, view=view, glyph=glyph, name=name, **states))

    if one.name == SINGLE:
        thin = {"xs": "x", "ys": "y", "line_color": colour, "line_alpha": 0.55}
        thick = MultiLine(**thin, line_width=3)
        add(MultiLine(**thin, line_width=look.width), f"lines {one.key}", hover_glyph=thick)
        return list(drawn.renderers[before:])
    if "band_low" in source.data:
        add(VArea(x="x", y1="band_low", y2="band_high", fill_color=colour, fill_alpha=0.2))
    if "low" in source.data and not look.band:
        add(Segment(x0="x", y0="low", x1="x", y1="high", line_color=colour))
    if "x_low" in source.data:
        add(Segment(x0="x_low", y0="y", x1="x_high", y1="y", line_color=colour))
    if look.line is not None:
        line = Line(x="x", y="y", line_color=colour, line_width=look.width, line_dash=look.line)
        add(line, f"lines {one.key}")
    if marker is not None:
        mark = {"line_color": colour, "fill_color": colour if look.filled else "white", "line_width": 1.5}
        add(Scatter(x="x", y="y", marker=marker, size=look.size, **mark), f"marks {one.key}")
    return list(drawn.renderers[before:])


def _hover(drawn: Any, plot: Plot) -> None:
    """Show what is under the pointer: a tool for all series that have the same to show, since each costs."""
    from bokeh.models import HoverTool

    by_key = {r.name.partition(" ")[2]: r for r in drawn.renderers if r.name}  # of lines and marks the marks
    alike: dict[tuple[tuple[str, str], ...], list[Any]] = {}
    for one in plot.series:
        if one.key in by_key and (plot.holds is None or "name" in one.columns):
            alike.setdefault(_said(one, plot), []).append(by_key[one.key])
    for said, renderers in alike.items():
        of = dict.fromkeys(("@x", "@y"), "printf")
        drawn.add_tools(HoverTool(renderers=renderers, tooltips=list(said), formatters=of, visible=False))


def _said(one: Series, plot: Plot) -> tuple[tuple[str, str], ...]:
    """Return what is shown of a series under the pointer: names, and columns with their formats."""
    if plot.holds is not None:
        numbers = zip(map(symbols, plot.holds), ("@x{%.4f}", "@y{%.4f}"), strict=True)
        return (("study", "@name"), *numbers)
    size = ("train size", "@train_size{0,0}")
    if one.name == SINGLE:
        return ("run", "@name"), size, ("", "click for its page")
    if one.train_size is None:
        size = (one.name, "@train_size{0,0}" if "train_size" in one.columns else "")
    return size, ("train size" if plot.of_size else "norm", "@x{%.6g}"), ("value", "@y{%.5g}")
