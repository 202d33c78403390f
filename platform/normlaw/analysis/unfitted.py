"""Curves that no law could be fitted to: the refusal that carries them, and what it writes of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from normlaw_registry import InputError
from normlaw_registry.curves import mean_curves, run_optima, size_optima

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.figures.style import Size


class NotFittedError(InputError):
    """The curves were read, and are not enough for the laws."""

    def __init__(self, reason: str, points: pd.DataFrame) -> None:
        super().__init__(reason)
        self.points = points
        """The points as a protocol is given them."""

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the points, the mean curves and the optima by name: what needs no law."""
        optima = run_optima(self.points)
        return {
            "curves": self.points,
            "mean_curves": mean_curves(self.points),
            "optima": optima,
            "size_optima": size_optima(optima),
        }

    def figures(self, size: Size) -> dict[str, Drawing]:
        """Return the figure of the curves."""
        import matplotlib as mpl

        from normlaw.analysis.figures.error_against_norm import unfitted_curves

        tables = self.tables()
        with mpl.rc_context({"font.size": size.font}):
            drawn = unfitted_curves(self.points, tables["mean_curves"], tables["size_optima"], size)
        return {"error_against_norm": drawn}

    def told(self, folder: Path) -> str:
        """Return what is missing, and where the curves are."""
        return f"{self}\nThe curves and their figure: {folder}"
