"""`normlaw compare`: do two studies, or two settings of one, have different exponents?"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.saying import say
from normlaw.cli.source_options import tracking_uri_option

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.differences import Known

WIDEST = 17
"""Characters of a column with a number and its error: what would fill it is told in fewer digits."""
UNKNOWN = "-"
"""In the place of a number that could not be determined."""


@click.command()
@click.argument("first", shell_complete=complete.study)
@click.argument("second", required=False, shell_complete=complete.study)
@click.option("--confidence", default=0.95, show_default=True, help="Level of the confidence intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@tracking_uri_option
def compare(first: str, second: str | None, confidence: float, as_json: bool, tracking_uri: str | None) -> None:
    """Compare the exponents of FIRST and SECOND as they were analysed last, or of all settings of FIRST.

    Each is a study, or one setting of it in quotes, as `normlaw report` lists it:

    \b
    normlaw compare quickstart my-study
    normlaw compare 'mine loss=squared' 'mine loss=cross_entropy'

    A difference is that of FIRST less SECOND. Runs that both have count for its error.
    """
    with words.working("reading what was found", logged=False):
        from normlaw.verbs.compare import compared

        table, known = compared(first, second, confidence=confidence, tracking_uri=tracking_uri)
    if as_json:
        click.echo(table.to_json(orient="records", indent=2, double_precision=15))
    else:
        say("\n".join(_lines(table, known)))


def _lines(table: pd.DataFrame, known: list[Known]) -> list[str]:
    from normlaw.analysis.text_tables import WIDTH, short

    lines: list[str] = []
    pairs = table.groupby(["first", "second"], sort=False)
    for (one, two), rows in pairs:
        shared = int(rows["runs_shared"].iloc[0])
        lines += [f"(1) {one}", f"(2) {two}"]
        lines += [f"{shared} runs in common"] if shared else []
        lines += [f"{'exponent':<11}{'(1)':>17}{'(2)':>17}{'(1) - (2)':>17}{'z':>7}{'p':>10}", "-" * WIDTH]
        for row in rows.to_dict("records"):
            named = (("value_1", "stderr_1", 17), ("value_2", "stderr_2", 17), ("difference", "stderr", 17))
            cells = "".join(f"{_number(row[v], row[e]):>{width}}" for v, e, width in named)
            told = isfinite(row["z"])
            z = f"{row['z']:z.2f}"
            test = (
                (z if len(z) < 7 else f"{row['z']:.0e}", short(row["p_holm"])) if told else (UNKNOWN, UNKNOWN)
            )
            lines.append(f"{row['exponent']:<11}{cells}{test[0]:>7}{test[1]:>10}")
        lines.append("")
    if len(pairs) > 1:
        lines.append("p is that of all pairs together (Holm 1979)")
    for what, noun in (("norm", "norms"), ("response", "responses"), ("protocol", "protocols")):
        found = list(dict.fromkeys(getattr(each, what) for each in known))
        if len(found) > 1:
            lines.append(f"warning several {noun} are compared: {', '.join(found)}")
    return lines


def _number(value: float, stderr: float) -> str:
    if not isfinite(value):
        return UNKNOWN
    told = f"{value:z.4f} ± {stderr:.4f}"
    return told if len(told) < WIDEST else f"{value:z.2g} ± {stderr:.1g}"
