"""What is found of a ladder of sizes, as text for the terminal and as HTML for a notebook."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from normlaw.analysis.scaling_collapse.result import VERDICTS
from normlaw.analysis.text_tables import WIDTH, table_lines
from normlaw.base.html import listed, paragraph, table, together
from normlaw.base.mathematics import typeset

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.scaling_collapse.result import ScalingCollapse


def about(found: ScalingCollapse) -> str:
    """Return what was compared, as a clause."""
    labels, runs = list(found.sizes["label"]), found.sizes["runs"]
    each = f"{runs.min()}" if runs.min() == runs.max() else f"{runs.min()} to {runs.max()}"
    return (
        f"{len(labels)} sizes ({found.over} from {labels[0]} to {labels[-1]}), {each} runs each; "
        f"{found.response.plain} on {found.x_label}"
    )


def render(found: ScalingCollapse) -> str:
    """Return verdict, numbers with errors and spread, and warnings, in lines that fit a terminal."""
    lines = collapse_lines(found)
    for warning in found.warnings:
        lines += wrap(f"warning {warning}", WIDTH, subsequent_indent="        ")
    return "\n".join(lines)


def collapse_lines(found: ScalingCollapse) -> list[str]:
    """Return the same without warnings."""
    lines = wrap(f"scaling collapse: {VERDICTS[found.verdict]}", WIDTH)
    lines += wrap(str(found.reason), WIDTH, initial_indent="  ", subsequent_indent="    ")
    lines += [*wrap(about(found), WIDTH, subsequent_indent="  "), ""]
    lines += table_lines(numbers_table(found))
    lines.append("")
    lines += wrap(
        f"low, high: {found.confidence:.0%} limits; scan_low, scan_high: over the floors of the loss scanned, "
        f"{found.scan['collapse_floor'].min():.4g} to {found.scan['collapse_floor'].max():.4g}",
        WIDTH,
    )
    for name in found.numbers:
        lines += wrap(found.definition(name), WIDTH, initial_indent=f"  {name:<22}", subsequent_indent=" " * 24)
    return lines


def numbers_table(found: ScalingCollapse) -> pd.DataFrame:
    """Return the numbers with errors and spread, with three significant digits."""
    import pandas as pd

    rows = found.to_dict()["numbers"]
    columns = ("value", "stderr", "low", "high", "scan_low", "scan_high")
    return pd.DataFrame(
        [{"number": name, **{c: f"{of[c]:.3g}" for c in columns}} for name, of in rows.items()], dtype=object
    )


def html(found: ScalingCollapse) -> str:
    """Return what a notebook shows: the same with formulas."""
    return together(collapse_html(found), listed(typeset(f"warning {warning}") for warning in found.warnings))


def collapse_html(found: ScalingCollapse) -> str:
    """Return the same without warnings."""
    head = [
        "number",
        "value",
        "std. error",
        f"{found.confidence:.0%} interval",
        "over the floors",
        "definition",
    ]
    rows = [
        [
            row["number"],
            row["value"],
            row["stderr"],
            f"{row['low']} to {row['high']}",
            f"{row['scan_low']} to {row['scan_high']}",
            typeset(found.definition(row["number"])),
        ]
        for row in numbers_table(found).to_dict("records")
    ]
    return together(
        paragraph(VERDICTS[found.verdict], strong="scaling collapse:"),
        listed([typeset(str(found.reason))]),
        table(head, rows),
        paragraph(about(found)),
    )
