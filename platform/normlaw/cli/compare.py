"""`normlaw compare`: do two studies, or two settings of one, have different exponents?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from normlaw.cli import complete
from normlaw.cli.source_options import tracking_uri_option

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.differences import Known


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
    normlaw compare 'mine optimizer.weight_decay=0.0' 'mine optimizer.weight_decay=0.1'

    A difference is that of FIRST less SECOND. Runs that both have count for its error.
    """
    from normlaw.verbs.compare import compared

    table, known = compared(first, second, confidence=confidence, tracking_uri=tracking_uri)
    if as_json:
        click.echo(table.to_json(orient="records", indent=2, double_precision=15))
        return
    for line in _lines(table, known, confidence):
        click.echo(line)


def _lines(table: pd.DataFrame, known: list[Known], confidence: float) -> list[str]:
    from normlaw.analysis.text import short

    lines: list[str] = []
    several = len(table.groupby(["first", "second"])) > 1
    for (one, two), rows in table.groupby(["first", "second"], sort=False):
        shared = int(rows["runs_shared"].iloc[0])
        lines += [f"{one} (1) and {two} (2)" + (f", {shared} runs in common" if shared else "")]
        cells = f"{'(1)':>18}{'(2)':>18}{'difference':>18}"
        head = f"{'exponent':<12}{cells}  {f'{confidence:.0%} interval':<20}{'z':>8}{'p':>11}"
        lines += [head + ("   p of all pairs" if several else ""), "-" * len(head)]
        for row in rows.to_dict("records"):
            named = [("value_1", "stderr_1"), ("value_2", "stderr_2"), ("difference", "stderr")]
            cells = "".join(f"{f'{row[value]:z.4f} ± {row[error]:.4f}':>18}" for value, error in named)
            interval = f"[{row['low']:z.4f}, {row['high']:z.4f}]"
            tail = f"{short(row['p_holm']):>17}" if several else ""
            test = f"{row['z']:>z8.2f}{short(row['p']):>11}{tail}"
            lines.append(f"{row['exponent']:<12}{cells}  {interval:<20}{test}")
        lines.append("")
    for what, noun in (("norm", "norms"), ("response", "responses"), ("protocol", "protocols")):
        found = list(dict.fromkeys(getattr(each, what) for each in known))
        if len(found) > 1:
            lines.append(f"note: the analyses have several {noun}: {', '.join(found)}")
    return lines
