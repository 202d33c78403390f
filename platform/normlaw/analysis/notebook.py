"""An analysis, and predictions, as a notebook shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normlaw.analysis.scaling_collapse.text import collapse_html
from normlaw.analysis.text import VERDICTS, chosen_points
from normlaw.analysis.text_tables import cell
from normlaw.analysis.units import told_sizes
from normlaw.base.html import listed, paragraph, table, together
from normlaw.base.mathematics import typeset

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.prediction import Prediction
    from normlaw.analysis.results import Analysis


def analysis_html(analysis: Analysis) -> str:
    """Return the verdict with its reasons, the exponents with their errors, what they rest on, and warnings."""
    verdict = analysis.findings.verdict
    head = ["exponent", "value", "std. error", f"{analysis.confidence:.0%} interval", "definition"]
    rows = [
        [
            typeset(name),
            f"{e.value:z.4f}",
            f"{e.stderr:.4f}",
            f"{e.low:z.4f} to {e.high:z.4f}",
            typeset(analysis.definition(name)),
        ]
        for name, e in analysis.estimates().items()
    ]
    sizes = analysis.size_optima["train_size"]
    basis = [
        f"protocol {analysis.protocol}",
        f"{analysis.curves['run'].nunique()} runs",
        f"{len(analysis.curves)} points",
        told_sizes(sizes, analysis.unit),
        *chosen_points(analysis),
    ]
    return together(
        "" if verdict is None else paragraph(VERDICTS[verdict], strong="verdict:"),
        "" if verdict is None else listed(typeset(str(reason)) for reason in analysis.findings.reasons),
        table(head, rows),
        paragraph("; ".join(basis)),
        "" if analysis.scaling_collapse is None else collapse_html(analysis.scaling_collapse),
        listed(typeset(f"warning {warning}") for warning in analysis.warnings),
    )


def prediction_html(prediction: Prediction) -> str:
    """Return the predictions, how good such predictions have been, and warnings."""
    fitted = f"fitted to {told_sizes(prediction.train_sizes, prediction.unit)}"
    about = f"protocol {prediction.protocol}, {fitted}; limits of {prediction.confidence:.0%}"
    return together(
        paragraph(about),
        frame_html(prediction.table.dropna(axis=1, how="all").rename(columns=prediction.response.column)),
        ""
        if prediction.scores.empty
        else frame_html(prediction.scores, "how well the largest train sizes were predicted"),
        listed(f"warning {warning}" for warning in prediction.warnings),
    )


def frame_html(frame: pd.DataFrame, caption: str = "") -> str:
    """Return a frame as a table, with four significant digits and nothing where a number is missing."""
    rows = [[cell(value) for value in row] for row in frame.itertuples(index=False)]
    return table(list(frame.columns), rows, caption)
