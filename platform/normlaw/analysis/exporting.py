"""Curves and findings as files for other programs and for papers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from normlaw.analysis.figures import figures
from normlaw.analysis.figures.style import COLUMN, PDF
from normlaw.analysis.latex import exponents_latex, settings_latex
from normlaw.analysis.results import Analysis
from normlaw.analysis.writing import to_json
from normlaw.base.files import replace_folder
from normlaw.study.names import path_part
from normlaw_registry import InputError
from normlaw_registry.errors import suggestion

Format = Literal["csv", "parquet", "latex", "pdf"]
FORMATS: tuple[Format, ...] = get_args(Format)
MARK = "export.json"
WHAT = "an earlier export"


def checked_formats(formats: Sequence[str]) -> tuple[Format, ...]:
    """Return formats, each once.

    Raises:
        InputError: there is no such format (names the nearest), or none is named.

    """
    for name in formats:
        if name not in FORMATS:
            raise InputError(f"no format {name!r} of an export: {suggestion(name, FORMATS)}")
    if not formats:
        raise InputError(f"name a format of the export: {', '.join(FORMATS)}")
    return tuple(name for name in FORMATS if name in formats)


def write_export(
    folder: Path,
    curves: pd.DataFrame,
    analyses: Mapping[str, Analysis],
    about: Mapping[str, object],
    formats: Sequence[Format] = FORMATS,
) -> None:
    """Write curves and findings.

    `curves` and `exponents` as CSV and Parquet, `exponents.tex`, and for each setting, in a folder of its own
    where there are several, `results.json`, `tables/NAME`, `exponents.tex` and `figures/NAME.pdf`, as wide as
    one of two columns of print. All is written beside the folder first, and moved there at the end.

    Args:
        folder: where; an earlier export is replaced.
        curves: all curves, as `normlaw.curves` returns them.
        analyses: the laws of each setting by its label, which is empty for a sole one.
        about: what the export is of, kept in `export.json`.
        formats: what to write.

    Raises:
        InputError: the folder exists and holds something else than an earlier export, or cannot be written.

    """

    def fill(draft: Path) -> None:
        (draft / MARK).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        _frame(curves, draft / "curves", formats)
        if not analyses:
            return
        _frame(exponents(analyses), draft / "exponents", formats)
        for setting, analysis in analyses.items():
            _setting(analysis, draft / path_part(setting) if setting else draft, formats)
        if "latex" in formats and list(analyses) != [""]:
            (draft / "exponents.tex").write_text(settings_latex(analyses), encoding="utf-8")

    replace_folder(folder, fill, MARK, WHAT)


def exponents(analyses: Mapping[str, Analysis]) -> pd.DataFrame:
    """Return the numbers of all analyses, a row each: setting, exponent, value, stderr, low, high, ..."""
    rows = [
        {
            "setting": setting,
            "exponent": name,
            **estimate.to_dict(),
            "definition": analysis.definition(name),
            "verdict": analysis.findings.verdict,
        }
        for setting, analysis in analyses.items()
        for name, estimate in analysis.estimates().items()
    ]
    return pd.DataFrame(rows)


def _setting(analysis: Analysis, folder: Path, formats: Sequence[Format]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "results.json").write_text(to_json(analysis), encoding="utf-8")
    if "latex" in formats:
        (folder / "exponents.tex").write_text(exponents_latex(analysis), encoding="utf-8")
    if {"csv", "parquet"} & set(formats):
        (folder / "tables").mkdir()
        for name, table in analysis.tables().items():
            _frame(table, folder / "tables" / name, formats)
    if "pdf" in formats:
        (folder / "figures").mkdir()
        ending, options = PDF
        for name, figure in figures(analysis, COLUMN).items():
            (folder / "figures" / f"{name}.pdf").write_bytes(figure.rendered(ending, **options))


def _frame(frame: pd.DataFrame, path: Path, formats: Sequence[Format]) -> None:
    """Write a frame; numbers in CSV are as long as it takes to read the same ones back."""
    writers: dict[str, Callable[[Path], object]] = {
        "csv": lambda at: frame.to_csv(at, index=False),
        "parquet": lambda at: frame.to_parquet(at, index=False),
    }
    for ending, write in writers.items():
        if ending in formats:
            write(path.with_name(f"{path.name}.{ending}"))
