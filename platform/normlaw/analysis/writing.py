"""An analysis as a folder of files."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normlaw.analysis.figures import figures as figures_of
from normlaw.analysis.figures.drawing import Drawing, Printed
from normlaw.analysis.figures.layer_norms import layer_norms
from normlaw.analysis.figures.singular_values import singular_values
from normlaw.analysis.figures.style import COLUMN, PAGE, Size, Use, checked_use
from normlaw.analysis.figures.style import render as drawn
from normlaw.analysis.report import About, report, unfitted_report
from normlaw.analysis.results import Analysis
from normlaw.analysis.scaling_collapse.result import ScalingCollapse
from normlaw.analysis.text import render
from normlaw.base.files import replace_folder, write_wanted
from normlaw_registry.host.vectors import measure_of

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.unfitted import NotFittedError

MARK = "results.json"
WHAT = "an earlier analysis"


def write(analysis: Analysis, folder: Path, about: About | None = None, figures: Use = "page") -> None:
    """Write `report.html`, the tables (CSV), the figures, `results.json` and `summary.txt`.

    Each figure is `figures/NAME` as SVG and PNG across a page, with the numbers that it draws as CSV. For a
    paper it is PDF too, and `figures/column/NAME` is as wide as one of two columns of print.

    All is written beside the folder first and moved there at the end, so that a failure leaves what was
    there before.

    Args:
        analysis: what was found.
        folder: where to write; made where it is not there.
        about: what to say about the study.
        figures: what they are for, "page" or "paper"; drawing for a paper takes three times as long.

    Raises:
        InputError: the folder exists and holds something else than an earlier analysis, or cannot be written;
            figures are for neither.

    """
    use = checked_use(figures)
    replace_folder(Path(folder), lambda draft: _write_all(analysis, draft, about, use), MARK, WHAT)
    _remove_unfitted(Path(folder))


def write_unfitted(
    found: NotFittedError, folder: Path, about: About | None = None, figures: Use = "page"
) -> Path:
    """Write what is known of curves that no law could be fitted to, as `write` does; return where it is.

    The tables `curves`, `mean_curves`, `optima` and `size_optima`, the figure of the curves, `report.html`, and
    what is missing as `summary.txt` and in `results.json`. It stands beside `folder`, which may hold an earlier
    analysis, and goes when `write` has something to put there.

    Args:
        found: the refusal, with the curves.
        folder: that of an analysis of these curves.
        about: what to say about the study.
        figures: what they are for, "page" or "paper".

    Raises:
        InputError: the folder exists and holds something else than an earlier analysis, or cannot be written;
            figures are for neither.

    """
    use = checked_use(figures)

    def fill(draft: Path) -> None:
        (draft / MARK).write_text(json.dumps({"fitted": False, "missing": str(found)}) + "\n", encoding="utf-8")
        (draft / "summary.txt").write_text(f"No law was fitted: {found}\n", encoding="utf-8")
        tables = found.tables()
        write_tables(tables, draft)
        (drawing,) = draw_figures(found.figures, draft / "figures", use).values()
        text = unfitted_report(str(found), found.points, tables, drawing, about or About())
        (draft / "report.html").write_text(text, encoding="utf-8")

    beside = unfitted_folder(Path(folder))
    replace_folder(beside, fill, MARK, WHAT)
    return beside


def unfitted_folder(folder: Path) -> Path:
    """Return the folder of what is known where no law could be fitted, beside that of an analysis."""
    return folder.with_name(f"{folder.name}-unfitted")


def _remove_unfitted(folder: Path) -> None:
    """Remove what an earlier analysis left that could not fit; a folder that is something else stays."""
    beside = unfitted_folder(folder)
    try:
        if json.loads((beside / MARK).read_text(encoding="utf-8")).get("fitted") is False:
            shutil.rmtree(beside)
    except (OSError, ValueError, AttributeError):
        return


Results = Analysis | ScalingCollapse


def write_json(analysis: Results | Sequence[Results], path: Path) -> None:
    """Write the machine-readable results to one file, all of it or nothing.

    Raises:
        InputError: the file cannot be written.

    """
    write_wanted(Path(path), to_json(analysis))


def to_json(analysis: Results | Sequence[Results]) -> str:
    """Return the results as JSON text; a number that is not finite becomes null."""
    if isinstance(analysis, Sequence):
        return json_text([each.to_dict() for each in analysis])
    return json_text(analysis.to_dict())


def json_text(content: Any) -> str:
    """Return a tree of JSON's own types as text; a number that is not finite becomes null."""
    return json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """Return a tree as JSON has it: keys as text, lists, and null for numbers that are not finite."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write tables by name as CSV files in the new folder `tables` of a folder."""
    (folder / "tables").mkdir()
    for name, table in tables.items():
        table.to_csv(folder / "tables" / f"{name}.csv", index=False)


def write_figures(drawings: Mapping[str, Drawing], folder: Path, use: Use) -> dict[str, Printed]:
    """Write figures by name as the files of their use, and the numbers drawn as CSV; return them as printed."""
    folder.mkdir(parents=True, exist_ok=True)
    images = {}
    for name, figure in drawings.items():
        files = drawn(figure, use)
        for ending, content in files.items():
            (folder / f"{name}.{ending}").write_bytes(content)
        figure.numbers().to_csv(folder / f"{name}.csv", index=False)
        images[name] = Printed(figure, files["svg"])
    return images


def draw_figures(
    drawings: Callable[[Size], Mapping[str, Drawing]], folder: Path, use: Use
) -> dict[str, Printed]:
    """Write figures across a page and, for a paper, as wide as a column; return the former."""
    images = write_figures(drawings(PAGE), folder, use)
    if use == "paper":
        write_figures(drawings(COLUMN), folder / "column", use)
    return images


def _write_all(analysis: Analysis, folder: Path, about: About | None, use: Use) -> None:
    import pandas as pd

    (folder / MARK).write_text(to_json(analysis), encoding="utf-8")
    (folder / "summary.txt").write_text(render(analysis) + "\n", encoding="utf-8")
    curves = analysis.curves.rename(columns=analysis.response.column)
    write_tables({**analysis.tables(), "curves": curves}, folder)
    drawings = draw_figures(lambda size: figures_of(analysis, size), folder / "figures", use)
    if about is not None and about.layers:
        layers = pd.DataFrame(about.layers)
        drawings |= write_figures(
            {"layer_norms": layer_norms(layers, measure_of(about.norm))}, folder / "figures", use
        )
        layers.to_csv(folder / "tables" / "layer_norms.csv", index=False)
    for measure, table in (about.spectra if about is not None else {}).items():
        drawn_spectra = {measure: singular_values(table)}
        drawings |= write_figures(drawn_spectra, folder / "figures", use)
        table.to_csv(folder / "tables" / f"{measure}.csv", index=False)
    (folder / "report.html").write_text(report(analysis, about, drawings), encoding="utf-8")
