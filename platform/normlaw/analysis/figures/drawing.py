"""The figure that all figures are: outside pyplot, and shown by a notebook all the same."""

from __future__ import annotations

from io import BytesIO

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class Drawing(Figure):
    """A matplotlib figure without a window; sizes in inches."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows; it knows pyplot's figures by itself, and others by this method."""
        content = BytesIO()
        self.savefig(content, format="png", dpi=110)
        return content.getvalue()
