"""One look for all figures: readable in grey and by colour-blind readers, on a page and in a column of print.

Train sizes are ordered, so they get a ramp of rising lightness in equal steps for the eye (viridis, without its
palest end) and a cycle of markers. What is not ordered gets colours that the eye tells apart (Okabe and Ito's);
laws are told apart by line style besides colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from normlaw_registry import InputError, Response

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from normlaw.analysis.figures.drawing import Drawing

LN10 = 2.302585092994046
MARKERS = "osD^v<>PX*ph"
INK = "#111111"
ACCENT = "#b3541e"
SECOND = "#0072b2"
QUIET = "#6f6f6f"
PALE = "#f0f0f0"
CATEGORIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#111111", "#999933")
NORM_LABEL = "norm λ"
RELATIVE_NORM_LABEL = r"norm over optimal norm, $λ/λ_\mathrm{opt}$"


@dataclass(frozen=True)
class Size:
    """Where a figure is printed."""

    width: float
    """In inches."""
    height: float
    font: float
    """In points."""
    mark: float
    """Sizes of marks and widths of lines, in units of those on a page."""
    labels: int
    """Numbers along the horizontal axis, at most."""
    column: bool
    """Whether it stands in one of two columns: legends go below the axes."""

    @property
    def style(self) -> str:
        """Name of the style for `matplotlib.pyplot.style.use`, for figures of one's own beside these."""
        return "normlaw.column" if self.column else "normlaw.page"


PAGE = Size(6.5, 4.4, 9.0, mark=1.0, labels=7, column=False)
COLUMN = Size(3.4, 2.7, 7.0, mark=0.7, labels=4, column=True)


def new_figure(width: float = 6.4, height: float = 4.4) -> tuple[Drawing, Axes]:
    """Return a figure of its own, outside pyplot, with one pair of axes; sizes in inches."""
    from normlaw.analysis.figures.drawing import Drawing

    figure = Drawing(width, height)
    axes = figure.add_subplot()
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def sized_figure(size: Size, legend_rows: int = 0) -> tuple[Drawing, Axes]:
    """Return a figure for a page or a column; in a column, with room for the rows of a legend below."""
    room = 1.9 * size.font / 72 * legend_rows if size.column else 0.0
    figure, axes = new_figure(size.width, size.height + room)
    axes.tick_params(labelsize=size.font)
    return figure, axes


def plain(text: object) -> str:
    """Return a name that others gave as matplotlib draws it letter by letter: `$` would begin a formula."""
    return str(text).replace("$", r"\$")


def size_styles(sizes: Sequence[int]) -> dict[int, tuple[tuple[float, float, float, float], str]]:
    """Return colour and marker of each train size, or of what else is ordered; dark for the smallest."""
    from matplotlib import colormaps

    ramp = colormaps["viridis"]
    last = max(len(sizes) - 1, 1)
    return {size: (ramp(0.9 * i / last), MARKERS[i % len(MARKERS)]) for i, size in enumerate(sizes)}


def category_styles(names: Sequence[Any]) -> dict[Any, tuple[str, str]]:
    """Return colour and marker of each of several things without an order."""
    return {name: (CATEGORIES[i % len(CATEGORIES)], MARKERS[i % len(MARKERS)]) for i, name in enumerate(names)}


def set_train_size_axis(axes: Axes, unit: str, size: Size = PAGE) -> None:
    """Make the x axis logarithmic in P, which counts `unit`."""
    from normlaw.analysis.figures.scales import set_log

    set_log(axes, f"train size P ({plain(unit)})", "x", most=size.labels)


def set_log_norm_axis(axes: Axes, label: str = NORM_LABEL, size: Size = PAGE) -> None:
    """Label an x axis that holds log10 of a norm: norms may exceed what a float can hold."""
    from normlaw.analysis.figures.scales import set_log_norm

    set_log_norm(axes, label, most=size.labels)


def symbol(response: Response | None = None) -> str:
    """Return what the response is in formulas: ε, L, Δε or ΔL."""
    response = response or Response()
    return ("Δ" if response.floor else "") + ("ε" if response.is_fraction else "L")


def response_label(response: Response | None = None, which: str = "", index: str = "") -> str:
    """Return what an axis of the response is called, such as 'least test error ε_opt (fraction)'."""
    response = response or Response()
    sign = rf"${symbol(response)}_\mathrm{{{index}}}$" if index else symbol(response)
    unit = " (fraction)" if response.is_fraction else ""
    noun = f"excess {response.plain}" if response.floor else response.plain
    return f"{which} {noun} {sign}{unit}".lstrip()


def ratio_label(response: Response, over: str, index: str) -> str:
    """Return what an axis of the response divided by another one is called."""
    sign = symbol(response)
    return rf"{response.noun} over {over}, ${sign}/{sign}_\mathrm{{{index}}}$"


def set_log_error_axis(axes: Axes, label: str) -> None:
    """Make the y axis logarithmic, with decimal labels."""
    from normlaw.analysis.figures.scales import set_log

    set_log(axes, label)


def size_legend(figure: Drawing, size: Size = PAGE) -> None:
    """Add the legend of train sizes beside the axes, or below them in a column, where it hides nothing."""
    place: dict[str, Any] = {"loc": "outside right upper"}
    if size.column:
        place = {"loc": "outside lower center", "ncols": 4, "columnspacing": 1.0, "handletextpad": 0.5}
    figure.legend(title="train size P", fontsize="small", title_fontsize="small", **place)


def legend(figure: Drawing, axes: Axes, size: Size) -> None:
    """Add a legend in the axes, or below them in a column."""
    if size.column:
        figure.legend(fontsize="small", loc="outside lower center", ncols=1)
    else:
        axes.legend(fontsize="small")


Use = Literal["page", "paper"]
"""What figures are written for: pages (the report, MLflow), or a paper too."""
Formats = tuple[tuple[str, dict[str, Any]], ...]
SVG, PNG = ("svg", {"metadata": {"Date": None}}), ("png", {"dpi": 200})
PDF = ("pdf", {"metadata": {"CreationDate": None}})
ENDINGS: dict[str, dict[str, Any]] = dict((SVG, PNG, PDF))
FORMATS: dict[Use, Formats] = {"page": (SVG, PNG), "paper": (SVG, PNG, PDF)}
"""Endings of the files that a figure is written as, and what matplotlib is told of each."""


def checked_use(figures: str) -> Use:
    """Return what figures are written for.

    Raises:
        InputError: figures are not written for that.

    """
    for use in FORMATS:
        if figures == use:
            return use
    raise InputError(f"figures must be written for {' or '.join(map(repr, FORMATS))}, not for {figures!r}")


def render(figure: Drawing, use: Use = "page") -> dict[str, bytes]:
    """Return the figure as SVG and PNG files and, for a paper, as PDF, by ending.

    The layout is worked out once. Text in the SVG stays text: smaller, and readable by machines. The PDF holds
    its fonts as TrueType, which journals ask for: to cut them to the letters used takes longer than all else.
    No file holds a date: the same figure is the same file.
    """
    return {ending: _laid_out(figure, ending) for ending, _ in FORMATS[use]}


def printed(figure: Drawing) -> bytes:
    """Return the figure as the SVG file of `render`, where no other is asked for: a PNG takes longer."""
    return _laid_out(figure, "svg")


def _laid_out(figure: Drawing, ending: str) -> bytes:
    content = file_of(figure, ending)
    figure.keep_layout()
    return content


def file_of(figure: Drawing, ending: str) -> bytes:
    """Return the figure as a file of one of the formats svg, png and pdf, as `render` makes them."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "normlaw", "pdf.fonttype": 42}):
        return figure.rendered(ending, **ENDINGS[ending])
