"""How each series of a figure looks where Bokeh draws it: as in print, told apart by more than colour."""

from __future__ import annotations

from dataclasses import dataclass

from normlaw.analysis.figures import style

MARKERS = {
    "o": "circle",
    "s": "square",
    "D": "diamond",
    "^": "triangle",
    "v": "inverted_triangle",
    "<": "hex",
    ">": "star",
    "P": "plus",
    "X": "x",
    "*": "asterisk",
    "p": "square_pin",
    "h": "triangle_pin",
}
"""What Bokeh calls matplotlib's markers, or what stands for them."""


@dataclass(frozen=True)
class Look:
    """Of one series."""

    colour: str | None = None
    """None: that of the train size."""
    line: str | None = None
    """Dashes of the line, as Bokeh calls them; None: marks alone."""
    width: float = 1.5
    marker: str | None = None
    size: int = 6
    filled: bool = False
    band: bool = False
    """Whether `low` and `high` are drawn as a band, else as bars."""


LOOKS = {
    "mean over runs": Look(line="solid", width=1.2, marker="own", size=5, band=True),
    "single run": Look(line="solid", width=0.7),
    "fitted": Look(line="solid", width=2.0),
    "envelope": Look(style.ACCENT, line="dashed", width=2.0, band=True),
    "departure": Look(style.ACCENT, marker="diamond", size=9),
    "optimal norm": Look(style.INK, marker="cross", size=11),
    "early law": Look(style.INK, line="dashed", width=2.0),
    "local exponent": Look(style.INK, line="solid", width=1.8, band=True),
    "gamma_1": Look(style.ACCENT, line="dashed", width=2.0, band=True),
    "least error": Look(style.INK, marker="square", size=7),
    "measured law": Look(style.INK, line="solid", width=1.6),
    "predicted law": Look(style.ACCENT, line="dashed", width=2.0, band=True),
    "predicted by the model": Look(style.SECOND, line="dashdot", width=1.8, band=True),
    "law of gamma_2": Look(style.ACCENT, line="dashed", width=2.0),
}
"""By the name under which a figure records the series."""
OTHERS = Look(style.QUIET, marker="circle")


def look_of(name: str, *, of_size: bool) -> Look:
    """Return how a series looks; a mean over runs that is of one train size each is a mark with its bar."""
    if of_size and name == "mean over runs":
        return Look(style.INK, marker="circle", size=8)
    return LOOKS.get(name, OTHERS)


def hexadecimal(colour: tuple[float, float, float, float]) -> str:
    """Return a colour of matplotlib's as the web writes it.

    >>> hexadecimal((1.0, 0.5, 0.0, 1.0))
    '#ff8000'
    """
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour[:3])
