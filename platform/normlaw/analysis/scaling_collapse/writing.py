"""What is found of a ladder of sizes as a folder of files: page, tables, figures, numbers."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from normlaw.analysis.figures import collapse_figures
from normlaw.analysis.figures.captions import collapse_caption
from normlaw.analysis.figures.style import Use, checked_use
from normlaw.analysis.report import PACKAGES, ROWS_SHOWN, About, data_uri, page, table_rows
from normlaw.analysis.scaling_collapse.result import ScalingCollapse
from normlaw.analysis.scaling_collapse.text import render
from normlaw.analysis.writing import MARK, WHAT, draw_figures, json_text, write_tables
from normlaw.base.files import replace_folder

if TYPE_CHECKING:
    import pandas as pd


def write_collapse(
    found: ScalingCollapse, curves: pd.DataFrame, folder: Path, about: About, figures: Use = "page"
) -> None:
    """Write `report.html`, the tables (CSV), the figures, `results.json` and `summary.txt`, all or nothing.

    Args:
        found: what was found.
        curves: the points that it was found of.
        folder: where to write; made where it is not there.
        about: what to say about the study.
        figures: what they are for, "page" or "paper".

    Raises:
        InputError: the folder exists and holds something else than an earlier analysis, or cannot be written;
            figures are for neither.

    """
    use = checked_use(figures)

    def fill(draft: Path) -> None:
        (draft / MARK).write_text(json_text(found.to_dict()), encoding="utf-8")
        (draft / "summary.txt").write_text(render(found) + "\n", encoding="utf-8")
        tables = found.tables()
        write_tables({**tables, "curves": curves}, draft)
        drawings = draw_figures(lambda size: collapse_figures(found, size), draft / "figures", use)
        text = page(
            "collapse.html.jinja",
            about=about,
            collapse=found,
            figures={
                name: (data_uri(one.svg), collapse_caption(name, found)) for name, one in drawings.items()
            },
            tables={name: table_rows(table) for name, table in tables.items()},
            versions={name: version(name) for name in PACKAGES},
            rows_shown=ROWS_SHOWN,
        )
        (draft / "report.html").write_text(text, encoding="utf-8")

    replace_folder(folder, fill, MARK, WHAT)
