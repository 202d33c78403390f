"""Curves that no law could be fitted to: the refusal that carries them, and what it writes of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from normlaw_registry import InputError, Response
from normlaw_registry.curves import mean_curves, run_optima, size_optima

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.figures.style import Size


class NotFittedError(InputError):
    """The curves were read, and are not enough for the laws."""

    def __init__(self, reason: str, points: pd.DataFrame, response: Response) -> None:
        super().__init__(reason)
        self.points = points
        """The points as a protocol is given them."""
        self.response = response
        """What their column test_error holds."""

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the points, the mean curves and the optima by name: what needs no law."""
        optima = run_optima(self.points)
        tables = {
            "curves": self.points,
            "mean_curves": mean_curves(self.points),
            "optima": optima,
            "size_optima": size_optima(optima),
        }
        return {name: table.rename(columns=self.response.column) for name, table in tables.items()}

    def figures(self, size: Size) -> dict[str, Drawing]:
        """Return the figure of the curves."""
        import matplotlib as mpl

        from normlaw.analysis.figures.error_against_norm import unfitted_curves

        means, optima = mean_curves(self.points), size_optima(run_optima(self.points))
        with mpl.rc_context({"font.size": size.font}):
            drawn = unfitted_curves(self.points, means, optima, size, self.response)
        return {"error_against_norm": drawn}

    def told(self, folder: Path) -> str:
        """Return what is missing, and where the curves are."""
        return f"{self}\nThe curves and their figure: {folder}"
