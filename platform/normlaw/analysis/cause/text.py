"""What is found of arms as text for the terminal."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from normlaw.analysis.text_tables import WIDTH, table_lines

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.cause.result import Cause


def render(found: Cause) -> str:
    """Return verdict, tables and warnings in lines that fit a terminal."""
    lines = cause_lines(found)
    for warning in found.warnings:
        lines += wrap(f"warning {warning}", WIDTH, subsequent_indent="        ")
    return "\n".join(lines)


def cause_lines(found: Cause) -> list[str]:
    """Return the same without warnings."""
    lines = wrap(f"verdict: {found.verdict_text}", WIDTH)
    lines += wrap(str(found.reason), WIDTH, initial_indent="  ", subsequent_indent="    ")
    if "training_loss" in found.named:
        lines += wrap(f"  {found.settable_text}", WIDTH, subsequent_indent="    ")
    lines += ["", *wrap(f"share explained {found.across_words}", WIDTH, subsequent_indent="  ")]
    lines += table_lines(shares_shown(found))
    lines += [
        "",
        f"each arm: ln of the {found.response.noun} over the free run's, {found.confidence:.0%} limits",
    ]
    lines += table_lines(arms_shown(found))
    for row in found.slopes.to_dict("records"):
        lines += wrap(
            f"per unit of ln {found.norm if row['changed'] == 'norm' else 'temperature'}, "
            f"{row['response']}: {row['value']:z.3f} [{row['low']:z.3f}, {row['high']:z.3f}] ({row['arms']})",
            WIDTH,
            subsequent_indent="  ",
        )
    if len(found.undone):
        lines += ["", "part of a held norm's effect that a temperature undoes (1: all of it)"]
        lines += table_lines(undone_shown(found))
    lines.append("")
    for sentence in found.method:
        lines += wrap(sentence, WIDTH, initial_indent="  ", subsequent_indent="  ")
    return lines


def shares_shown(found: Cause) -> pd.DataFrame:
    """Return the shares of all variables, across and within arms, a row a variable."""
    import pandas as pd

    rows: dict[str, dict[str, str]] = {}
    for row in found.shares.to_dict("records"):
        shown = rows.setdefault(row["variable"], {"variable": row["variable"]})
        for what in ("alone", "beyond"):
            told = f"{row[what]:z.3f} ± {row[f'{what}_stderr']:.3f}"
            shown[f"{row['comparison']}, {what}"] = told
    return pd.DataFrame(list(rows.values()), dtype=object)


def arms_shown(found: Cause) -> pd.DataFrame:
    """Return doses and responses, a row an arm."""
    import pandas as pd

    rows: dict[str, dict[str, str]] = {}
    for row in found.arms.to_dict("records"):
        shown = rows.setdefault(row["arm"], {"arm": row["arm"]})
        for column, dose in row.items():
            if str(column).startswith("dose "):
                shown[f"ln {str(column).removeprefix('dose ')}"] = f"{dose:+z.2f}"
        shown[row["response"]] = f"{row['value']:+z.3f}"
        shown[f"{row['response']}, limits"] = f"[{row['low']:z.3f}, {row['high']:z.3f}]"
    return pd.DataFrame(list(rows.values()), dtype=object)


def undone_shown(found: Cause) -> pd.DataFrame:
    """Return the fractions, a row a pair of arms and response."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "arm": row["arm"],
                "response": row["response"],
                "effect": f"{row['effect']:+z.3f}",
                "with it": f"{row['effect_with']:+z.3f}",
                "undone": f"{row['fraction']:z.2f}",
                "limits": f"[{row['low']:z.2f}, {row['high']:z.2f}]",
            }
            for row in found.undone.to_dict("records")
        ],
        dtype=object,
    )
