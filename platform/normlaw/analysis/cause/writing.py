"""What is found of arms as a folder of files: page, tables, figures, numbers."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from normlaw.analysis.cause.result import Cause
from normlaw.analysis.cause.text import arms_shown, render, shares_shown, undone_shown
from normlaw.analysis.figures import cause_figures
from normlaw.analysis.figures.captions import cause_caption
from normlaw.analysis.figures.style import Use, checked_use
from normlaw.analysis.report import PACKAGES, ROWS_SHOWN, About, data_uri, page, table_rows
from normlaw.analysis.writing import MARK, WHAT, draw_figures, json_text, write_tables
from normlaw.base.files import replace_folder


def write_cause(found: Cause, folder: Path, about: About, figures: Use = "page") -> None:
    """Write `report.html`, the tables (CSV), the figures, `results.json` and `summary.txt`, all or nothing.

    Args:
        found: what was found.
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
        write_tables(tables, draft)
        drawings = draw_figures(lambda size: cause_figures(found, size), draft / "figures", use)
        text = page(
            "cause.html.jinja",
            about=about,
            cause=found,
            shown=[
                (heading, *table_rows(table)[:2])
                for heading, table in (
                    (f"Share explained {found.across_words}", shares_shown(found)),
                    ("What each arm does", arms_shown(found)),
                    ("What a temperature undoes of a held norm's effect", undone_shown(found)),
                )
                if len(table)
            ],
            figures={name: (data_uri(one.svg), cause_caption(name, found)) for name, one in drawings.items()},
            tables={name: table_rows(table) for name, table in tables.items()},
            versions={name: version(name) for name in PACKAGES},
            rows_shown=ROWS_SHOWN,
        )
        (draft / "report.html").write_text(text, encoding="utf-8")

    replace_folder(folder, fill, MARK, WHAT)
