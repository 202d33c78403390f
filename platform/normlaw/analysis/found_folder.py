"""What is found besides laws, as a folder of files: page, tables, figures, numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from normlaw.analysis.figures.style import Use, checked_use
from normlaw.analysis.report import PACKAGES, ROWS_SHOWN, About, data_uri, page, table_rows
from normlaw.analysis.writing import MARK, WHAT, draw_figures, json_text, write_tables
from normlaw.base.files import replace_folder

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.figures.style import Size


class Found(Protocol):
    """What can be written: it has tables, and is told in words and in JSON's own types."""

    def summary(self) -> str:
        """Return it in words."""

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return its tables by name."""

    def to_dict(self) -> dict[str, Any]:
        """Return all in JSON's own types."""


def write_found(
    found: Found,
    folder: Path,
    about: About,
    figures: Use,
    *,
    template: str,
    draw: Callable[[Size], Mapping[str, Drawing]],
    caption: Callable[[str], str],
    points: Mapping[str, pd.DataFrame] | None = None,
    **content: Any,
) -> None:
    """Write `report.html`, the tables (CSV), the figures, `results.json` and `summary.txt`, all or nothing.

    Args:
        found: what was found.
        folder: where to write; made where it is not there.
        about: what to say about the study.
        figures: what they are for, "page" or "paper".
        template: of the page.
        draw: makes the figures of a size, by name.
        caption: what is to be seen in the figure of a name.
        points: tables that are written and do not stand in the page, by name.
        content: what else the template names.

    Raises:
        InputError: the folder exists and holds something else than an earlier analysis, or cannot be written;
            figures are for neither.

    """
    use = checked_use(figures)

    def fill(draft: Path) -> None:
        (draft / MARK).write_text(json_text(found.to_dict()), encoding="utf-8")
        (draft / "summary.txt").write_text(found.summary() + "\n", encoding="utf-8")
        tables = found.tables()
        write_tables({**tables, **(points or {})}, draft)
        drawings = draw_figures(draw, draft / "figures", use)
        text = page(
            template,
            about=about,
            figures={name: (data_uri(one.svg), caption(name)) for name, one in drawings.items()},
            tables={name: table_rows(table) for name, table in tables.items()},
            versions={name: version(name) for name in PACKAGES},
            rows_shown=ROWS_SHOWN,
            **content,
        )
        (draft / "report.html").write_text(text, encoding="utf-8")

    replace_folder(folder, fill, MARK, WHAT)
