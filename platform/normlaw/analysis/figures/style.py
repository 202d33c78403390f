"""One look for all figures: readable in grey and by colour-blind readers.

Train sizes are ordered, so they get a ramp of rising lightness (cividis, made for colour-vision deficiency)
and a cycle of markers; laws are told apart by line style besides colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "osD^v<>PX*ph"
INK = "#111111"
ACCENT = "#b3541e"
QUIET = "#6f6f6f"
ERROR_LABEL = "test error ε (fraction)"
NORM_LABEL = "norm λ"


def new_figure(width: float = 6.4, height: float = 4.4) -> tuple[Figure, Axes]:
    """Return a figure of its own, outside pyplot, with one pair of axes; sizes in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def size_styles(sizes: Sequence[int]) -> dict[int, tuple[tuple[float, float, float, float], str]]:
    """Return colour and marker of each train size, dark for the smallest."""
    from matplotlib import colormaps

    ramp = colormaps["cividis"]
    last = max(len(sizes) - 1, 1)
    return {size: (ramp(0.85 * i / last), MARKERS[i % len(MARKERS)]) for i, size in enumerate(sizes)}


def set_log_norm_axis(axes: Axes, label: str = NORM_LABEL) -> None:
    """Label an x axis that holds log10 of a norm: norms may exceed what a float can hold."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=7))
    axes.xaxis.set_major_formatter(FuncFormatter(power_of_ten))
    axes.set_xlabel(label)


def power_of_ten(exponent: float, _position: int = 0) -> str:
    """Return 10^exponent as a tick label.

    >>> power_of_ten(-2.0)
    '$10^{-2}$'
    >>> power_of_ten(0.5)
    '$10^{0.5}$'
    """
    return f"$10^{{{exponent:.4g}}}$"


def set_log_error_axis(axes: Axes, label: str = ERROR_LABEL) -> None:
    """Make the y axis logarithmic, with plain fractions as labels where it spans little."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    if high / low < 100:
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0, 7.0)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel(label)


def size_legend(axes: Axes, sizes: Sequence[int]) -> None:
    """Add the legend of train sizes."""
    axes.legend(title="train size P", fontsize="small", title_fontsize="small", ncols=1 + (len(sizes) > 7))
