"""One look for all figures: readable in grey and by colour-blind readers.

Train sizes are ordered, so they get a ramp of rising lightness (cividis, made for colour-vision deficiency)
and a cycle of markers; laws are told apart by line style besides colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "osD^v<>PX*ph"
INK = "#111111"
ACCENT = "#b3541e"
QUIET = "#6f6f6f"
ERROR_LABEL = "test error ε (fraction)"
NORM_LABEL = "norm, log₁₀ λ"
RELATIVE_NORM_LABEL = "norm relative to the optimal norm, log₁₀(λ/λ_opt)"


def new_figure(width: float = 6.4, height: float = 4.4) -> tuple[Figure, Axes]:
    """Return a figure of its own, outside pyplot, with one pair of axes; sizes in inches."""
    from normlaw.analysis.figures.drawing import Drawing

    figure = Drawing(width, height)
    axes = figure.add_subplot()
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def plain(text: object) -> str:
    """Return a name that others gave as matplotlib draws it letter by letter: `$` would begin a formula."""
    return str(text).replace("$", r"\$")


def size_styles(sizes: Sequence[int]) -> dict[int, tuple[tuple[float, float, float, float], str]]:
    """Return colour and marker of each train size, dark for the smallest."""
    from matplotlib import colormaps

    ramp = colormaps["cividis"]
    last = max(len(sizes) - 1, 1)
    return {size: (ramp(0.85 * i / last), MARKERS[i % len(MARKERS)]) for i, size in enumerate(sizes)}


def set_train_size_axis(axes: Axes) -> None:
    """Make the x axis logarithmic in P, with plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 300 else (1.0,)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("train size P (examples)")


def set_log_norm_axis(axes: Axes, label: str = NORM_LABEL) -> None:
    """Label an x axis that holds log10 of a norm: norms may exceed what a float can hold."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=7))
    axes.set_xlabel(label)


def set_log_error_axis(axes: Axes, label: str = ERROR_LABEL) -> None:
    """Make the y axis logarithmic, with plain fractions as labels where it spans little."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    if high / low < 10:
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)))
    elif high / low < 100:
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0, 7.0)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel(label)


def size_legend(figure: Figure) -> None:
    """Add the legend of train sizes beside the axes, where it hides nothing."""
    figure.legend(title="train size P", fontsize="small", title_fontsize="small", loc="outside right upper")


def render(figure: Figure) -> dict[str, bytes]:
    """Return the figure as SVG and PNG files, by ending; the layout is worked out once.

    Text in the SVG stays text: smaller, and readable by machines.
    """
    import matplotlib as mpl

    files: dict[str, bytes] = {}
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "normlaw"}):
        for ending, more in (("svg", {"metadata": {"Date": None}}), ("png", {"dpi": 150})):
            buffer = BytesIO()
            figure.savefig(buffer, format=ending, **more)
            files[ending] = buffer.getvalue()
            figure.set_layout_engine("none")
    return files
