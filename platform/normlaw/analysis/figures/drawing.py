"""The figure that all figures are: outside pyplot, shown by notebooks all the same, with the numbers drawn."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.textpath import text_to_path


class Drawing(Figure):
    """A matplotlib figure without a window; sizes in inches. Its font size stays what it was at the start."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(self)
        self.font_size = float(mpl.rcParams["font.size"])
        self._parts: list[pd.DataFrame] = []
        self.common: tuple[float, float] | None = None
        """The norms that all curves have in common, as log10, where they are shown in grey."""

    def record(self, series: str, **columns: Any) -> None:
        """Keep numbers that the figure draws: columns of one length, or a number for all of them."""
        self._parts.append(pd.DataFrame({"series": series, **columns}))

    @property
    def parts(self) -> list[pd.DataFrame]:
        """What was recorded, a frame each time."""
        return list(self._parts)

    def numbers(self) -> pd.DataFrame:
        """Return all numbers drawn, in long form: the column `series` says what a row is part of."""
        return pd.concat(self._parts, ignore_index=True) if self._parts else pd.DataFrame({"series": []})

    def rendered(self, ending: str, **options: Any) -> bytes:
        """Return the figure as a file of the format that the ending names."""
        content = BytesIO()
        with mpl.rc_context({"font.size": self.font_size}):
            self.savefig(content, format=ending, **options)
        return content.getvalue()

    def draw(self, renderer: RendererBase) -> None:
        """Draw; where matplotlib draws for a layout alone, before it writes a file, find the layout alone."""
        layout = self.get_layout_engine()
        if self.canvas.is_saving() and isinstance(layout, ConstrainedLayoutEngine):
            layout.execute(self)
        else:
            super().draw(_with_known_formulas(renderer))

    def _get_renderer(self) -> RendererBase:
        """Return what a layout measures text by."""
        return _with_known_formulas(super()._get_renderer())  # type: ignore[misc]

    def keep_layout(self) -> None:
        """Leave all where it is from now on: with a layout, each file has it worked out once more."""
        with mpl.rc_context({"figure.autolayout": False, "figure.constrained_layout.use": False}):
            self.set_layout_engine(None)  # "none" would be one more layout, which does nothing

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows; it knows pyplot's figures by itself, and others by this method."""
        return self.rendered("png", dpi=110)


def _with_known_formulas(renderer: RendererBase) -> RendererBase:
    """Return the renderer, which takes each formula of a label as it was worked out once a process.

    A file is laid out by one renderer and written by another, and each would parse all formulas anew: a quarter
    of the time of drawing. Where matplotlib renames what is set here, it does so again.
    """
    writes = renderer._renderer if isinstance(renderer, MixedModeRenderer) else renderer
    vars(writes)["_text2path"] = text_to_path
    return renderer


@dataclass(frozen=True)
class Printed:
    """A figure and what was made of it."""

    drawing: Drawing
    svg: bytes
    """The SVG file."""
