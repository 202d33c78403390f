"""What is found of arms as a folder of files."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from normlaw.analysis.cause.result import Cause
from normlaw.analysis.cause.text import arms_shown, shares_shown, undone_shown
from normlaw.analysis.figures import cause_figures
from normlaw.analysis.figures.captions import cause_caption
from normlaw.analysis.figures.style import Use
from normlaw.analysis.found_folder import write_found
from normlaw.analysis.report import About, table_rows


def write_cause(found: Cause, folder: Path, about: About, figures: Use = "page") -> None:
    """Write what was found of arms; arguments and errors are those of `write_found`."""
    shown = (
        (f"Share explained {found.across_words}", shares_shown(found)),
        ("What each arm does", arms_shown(found)),
        ("What a temperature undoes of a held norm's effect", undone_shown(found)),
    )
    write_found(
        found,
        folder,
        about,
        figures,
        template="cause.html.jinja",
        draw=partial(cause_figures, found),
        caption=lambda name: cause_caption(name, found),
        cause=found,
        shown=[(heading, *table_rows(table)[:2]) for heading, table in shown if len(table)],
    )
