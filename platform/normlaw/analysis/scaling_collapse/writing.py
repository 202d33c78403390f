"""What is found of a ladder of sizes as a folder of files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from normlaw.analysis.figures import collapse_figures
from normlaw.analysis.figures.captions import collapse_caption
from normlaw.analysis.figures.style import Use
from normlaw.analysis.found_folder import write_found
from normlaw.analysis.report import About
from normlaw.analysis.scaling_collapse.result import ScalingCollapse

if TYPE_CHECKING:
    import pandas as pd


def write_collapse(
    found: ScalingCollapse, curves: pd.DataFrame, folder: Path, about: About, figures: Use = "page"
) -> None:
    """Write what was found of a ladder, and the `curves` that it was found of; else as `write_found` does."""
    write_found(
        found,
        folder,
        about,
        figures,
        template="collapse.html.jinja",
        draw=partial(collapse_figures, found),
        caption=lambda name: collapse_caption(name, found),
        points={"curves": curves},
        collapse=found,
    )
