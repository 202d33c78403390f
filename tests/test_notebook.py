"""docs/notebook.ipynb is run from top to bottom by Jupyter's own kernel, and gives what it shows.

The kernel is forked from a process that has imported what it needs, and so are the workers that it begins.

To store its outputs anew: `cd docs && PYTHONWARNINGS=ignore jupyter execute --inplace notebook.ipynb`, then
remove `mlflow.db` and each cell's times (its metadata `execution`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from normlaw_tests import forked_kernel

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[1] / "docs" / "notebook.ipynb"
SPARED = f"""
import sys
from contextlib import ExitStack
from pathlib import Path
sys.path.append({str(Path(__file__).parent / "support")!r})
import mlflow
from normlaw.execution import process
from normlaw_tests import figure_files, forked, stores
process.CONTEXT = forked.context()
spared = ExitStack()
for one in (stores.copied(lambda: Path({{database!r}})), figure_files.svg_alone(), figure_files.still()):
    spared.enter_context(one)
"""
"""What the kernel is told first: that the store is a copy, and that what is written has no PNGs."""
QUICK = """
from functools import partial
from normlaw.analysis import figures
normlaw.fit = partial(normlaw.fit, protocol="automatic")
normlaw.analyse = partial(normlaw.analyse, protocol="automatic")
figures.drawn_of = figure_files.cheapest
"""
"""What it is told after the fit whose numbers are compared; those by another norm are not, nor is a report."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> tuple[Any, Any]:
    """Return the notebook as it is stored and as it was just run, in a folder of its own."""
    stored, fresh = nbformat.read(PAGE, 4), nbformat.read(PAGE, 4)
    again = next(
        n for n, cell in enumerate(fresh.cells) if 'normlaw.fit(curves, norm="weight_norm")' in cell.source
    )
    told = [nbformat.v4.new_code_cell(t) for t in (SPARED.format(database=str(empty_database)), QUICK)]
    fresh.cells[again:again] = told[1:]
    fresh.cells[:0] = told[:1]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("NORMLAW_HOME", raising=False)
        folder = tmp_path_factory.mktemp("notebook")
        where = {"metadata": {"path": str(folder)}}
        with forked_kernel.kernels(folder / "kernel.log"):
            NotebookClient(
                fresh, timeout=None, startup_timeout=900, kernel_name="python3", resources=where
            ).execute()
    fresh.cells = [cell for cell in fresh.cells if cell not in told]
    return stored, fresh


def shown(notebook: Any) -> list[set[str]]:
    """Return the kinds of output of each code cell."""
    return [
        {kind for output in cell.outputs for kind in output.get("data", {"text/plain": ""})}
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def exponents(notebook: Any) -> dict[str, tuple[float, float]]:
    """Return the numbers of the table that the analysis shows, formulas as plain text."""
    (cell,) = (cell for cell in notebook.cells if cell.source.endswith("\nanalysis"))
    html = cell.outputs[0]["data"]["text/html"].replace("<i>γ</i>", "gamma").replace("<sub>", "_")
    cells = [re.sub("<[^>]+>", "", td) for td in re.findall("<td[^>]*>(.*?)</td>", html)]
    return {
        name: (float(value), float(stderr))
        for name, value, stderr in zip(cells[::5], cells[1::5], cells[2::5], strict=True)
    }


def test_every_cell_shows_what_the_page_shows(run) -> None:
    stored, fresh = run
    assert shown(fresh) == shown(stored)
    assert sum("image/png" in kinds for kinds in shown(fresh)) == 2
    outputs = [output for cell in stored.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "stream"]  # another machine's warnings


def test_the_laws_are_those_on_the_page(run) -> None:
    stored, fresh = map(exponents, run)
    assert stored.keys() == fresh.keys() > {"gamma_0", "gamma_1", "gamma_2", "gamma_pred", "gamma_meas"}
    for name, (value, stderr) in stored.items():
        assert abs(fresh[name][0] - value) <= 2 * stderr, name  # another processor rounds differently
