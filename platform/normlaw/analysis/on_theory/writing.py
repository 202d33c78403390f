"""A comparison with a theory as a folder of files."""

from __future__ import annotations

from pathlib import Path

from normlaw.analysis.figures.style import render as drawn
from normlaw.analysis.on_theory.agreement import Agreement
from normlaw.analysis.on_theory.figures import figures
from normlaw.analysis.on_theory.laws import Laws
from normlaw.analysis.report import data_uri, page
from normlaw.analysis.writing import write_tables
from normlaw.base.files import whole_folder


def write(compared: Agreement, found: Laws, text: str, folder: Path, title: str, command: str) -> list[str]:
    """Write `report.html`, `summary.txt`, tables (CSV) and figures (SVG, PNG); return the figures' names.

    All is written beside the folder first and put in its place at the end.

    Args:
        compared: trained runs beside exact answers.
        found: their laws.
        text: both as text.
        folder: where to write.
        title: of the page.
        command: what makes it again.

    """
    tables = {"points": compared.points, "scores": compared.scores(), "exponents": found.exponents}
    files = {name: drawn(figure) for name, figure in figures(compared).items()}
    shown = {
        name: (data_uri(made["svg"]), name.replace("_", " ") + ": lines exact, points means over seeds")
        for name, made in files.items()
    }
    html = page(
        "on_theory.html.jinja",
        title=title,
        theory=compared.theory,
        runs=len(compared.runs),
        judged=bool(len(found.exponents)),
        text=text,
        figures=shown,
        command=command,
    )
    with whole_folder(folder) as draft:
        write_tables(tables, draft)
        (draft / "figures").mkdir()
        (draft / "summary.txt").write_text(text + "\n", encoding="utf-8")
        (draft / "report.html").write_text(html, encoding="utf-8")
        for name, made in files.items():
            for ending, content in made.items():
                (draft / "figures" / f"{name}.{ending}").write_bytes(content)
    return list(files)
