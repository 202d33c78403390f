"""One analysis as one HTML page that needs nothing else: no script, no font, no image from elsewhere.

Where scripts run, some of its figures can be moved about in; where none do, it is the same page without that.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normlaw.analysis.figures import figures
from normlaw.analysis.figures.captions import caption
from normlaw.analysis.figures.drawing import Printed
from normlaw.analysis.figures.style import printed
from normlaw.analysis.interactive.motion import motion_of
from normlaw.analysis.interactive.moved import CAPTION, SLIDERS, fitted_gammas
from normlaw.analysis.links import Links
from normlaw.analysis.results import Analysis
from normlaw.analysis.text import VERDICTS, more_lines
from normlaw.base.mathematics import typeset
from normlaw_registry.host.fitting import summary_at

if TYPE_CHECKING:
    import jinja2
    import pandas as pd

ROWS_SHOWN = 25
TEMPLATES = Path(__file__).parent / "templates"
PACKAGES = ("normlaw", "numpy", "pandas", "scipy", "statsmodels", "matplotlib", "bokeh")
GAMMAS = ("gamma_0", "gamma_1", "gamma_2")


@dataclass(frozen=True, kw_only=True)
class About:
    """What a report says about the study besides the analysis."""

    title: str = "Learning curves"
    norm: str = ""
    """Name of the complexity measure that the laws are read in."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What all curves of the study share: architecture, data set, optimiser, ..."""
    command: str = ""
    """The command that repeats the analysis."""
    links: Links | None = None
    """Where its runs, data and study are."""
    layers: Sequence[Mapping[str, Any]] = ()
    """What each layer of one run contributes to the norm: rows as `figures.layer_norms` takes them."""
    spectra: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """Singular values of that run by measure, as `figures.singular_values` takes them."""


def report(
    analysis: Analysis, about: About | None = None, drawings: Mapping[str, Printed] | None = None
) -> str:
    """Return the page. All text is escaped; figures are embedded as SVG images, and for Bokeh to draw them.

    Args:
        analysis: what was found.
        about: what to say about the study.
        drawings: the figures by name, where they are at hand; else they are drawn.

    """
    import pandas as pd

    about = about or About()
    tables = analysis.tables() | ({"layer_norms": pd.DataFrame(about.layers)} if about.layers else {})
    if drawings is None:
        drawings = {name: Printed(figure, printed(figure)) for name, figure in figures(analysis).items()}
    motion = motion_of(
        {name: one.drawing for name, one in drawings.items()}, analysis.curves, about.links, analysis
    )
    return page(
        "report.html.jinja",
        about=about,
        analysis=analysis,
        definitions={name: analysis.definition(name) for name in analysis.estimates()},
        estimates=analysis.estimates(),
        verdict=VERDICTS.get(analysis.findings.verdict or ""),
        collapse=analysis.scaling_collapse,
        lines=[line for line in more_lines(analysis) if line],
        figures={name: (data_uri(one.svg), caption(name, analysis)) for name, one in drawings.items()},
        motion=motion,
        to_be_moved=(CAPTION, SLIDERS, dict(zip(GAMMAS, fitted_gammas(analysis), strict=True))),
        tables={name: table_rows(table) for name, table in tables.items() if name != "exponents"},
        summaries={name: summary_at(fit, analysis.confidence) for name, fit in analysis.findings.fits.items()},
        versions={name: version(name) for name in PACKAGES},
        rows_shown=ROWS_SHOWN,
    )


def unfitted_report(
    missing: str, points: pd.DataFrame, tables: Mapping[str, pd.DataFrame], drawing: Printed, about: About
) -> str:
    """Return the page of curves that no law could be fitted to.

    Args:
        missing: why.
        points: as a protocol is given them.
        tables: what is known of them, by name.
        drawing: their figure.
        about: what to say about the study.

    """
    return page(
        "unfitted.html.jinja",
        about=about,
        missing=missing,
        points=points,
        motion=motion_of({"error_against_norm": drawing.drawing}, points, about.links),
        figure=data_uri(drawing.svg),
        caption="Mean test error against the norm, a line a train size.",
        tables={name: table_rows(table) for name, table in tables.items()},
        versions={name: version(name) for name in PACKAGES},
        rows_shown=ROWS_SHOWN,
    )


def page(template: str, **content: Any) -> str:
    """Render one of the project's pages with escaping on and no name left undefined."""
    return templates().get_template(template).render(**{"motion": None} | content)


@cache
def templates() -> jinja2.Environment:
    """Return the templates, each of which is compiled once a process: that takes most of a page's time."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["maths"] = typeset
    environment.filters["signed"] = signed
    return environment


def number(value: Any) -> str:
    """Return a cell of a table: floats with five significant digits, nothing for a missing value.

    >>> number(0.123456789), number(12000), number(float("nan")), number("cnn")
    ('0.12346', '12000', '', 'cnn')
    """
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.5g}"
    return "" if value is None else str(value)


def signed(value: float) -> str:
    """Return a number with its sign and one decimal.

    >>> signed(1.26), signed(-0.04), signed(-2)
    ('+1.3', '0.0', '−2.0')
    """
    text = f"{value:+z.1f}"
    return "0.0" if text == "+0.0" else text.replace("-", "−")


def table_rows(table: Any) -> tuple[list[str], list[list[Any]], int]:
    """Return the column names, the first rows and the number of all rows."""
    shown = table.head(ROWS_SHOWN)
    return [str(c) for c in table.columns], shown.to_numpy(dtype=object).tolist(), len(table)


def data_uri(svg: bytes) -> str:
    """Return an SVG file as a data URI: an image, so that nothing in it can run."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")
