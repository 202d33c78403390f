"""Predictions as text for the terminal."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from normlaw.analysis.text_tables import WIDTH, table_lines
from normlaw.analysis.units import told_sizes
from normlaw_registry import Response

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.prediction import Prediction

SHOWN = {
    "fitter": "",
    "predicted": "share of what was asked that it gave a number for",
    "abs_log_error": "mean |ln predicted - ln measured|; 0.05 is 5 %",
    "inside": "share of single runs within the limits",
    "mean_inside": "share of train sizes whose mean lies within them",
    "decades": "farthest train size predicted over the largest fitted, in powers of ten",
}
"""Columns of the scores that are printed, and what they hold."""


def render_prediction(prediction: Prediction) -> str:
    """Return predictions, and how good such predictions have been, as plain text."""
    table, sizes = prediction.table, told_sizes(prediction.train_sizes, prediction.unit)
    response, shown = prediction.response, table.rename(columns=prediction.response.column)
    of = "" if response == Response() else f" of {response.described}"
    lines = [
        *broken(
            f"protocol {prediction.protocol}{of}, fitted to {sizes}; limits of {prediction.confidence:.0%}"
        ),
        "",
        *table_lines(shown.drop(columns="log_norm") if shown["log_norm"].isna().all() else shown),
    ]
    if table["test_error"].isna().any():
        lines.append("where no number stands, the model gives none")
    warnings = [line for warning in prediction.warnings for line in broken(f"warning {warning}")]
    if prediction.scores.empty:
        return "\n".join([*lines, "", "no score: no train size was left out", *warnings])
    held = prediction.by_size["train_size"].unique()
    sentence = "ln of the least error, predicted from the smaller train sizes, against what was measured"
    sentence = response.told(sentence)
    lines += [
        "",
        *broken(f"{sentence} at {', '.join(f'{size:,}' for size in held)}"),
        *table_lines(prediction.scores[list(SHOWN)].rename(columns=response.column)),
        *(f"  {response.column(name)}: {text}" for name, text in SHOWN.items() if text),
        "",
        f"the same for each train size: mean |deviation of ln {response.noun}|",
        *per_size(prediction.by_size, list(prediction.scores["fitter"])),
    ]
    problems = prediction.held_out[prediction.held_out["problem"] != ""]
    told = problems.drop_duplicates(["fitter", "problem"])
    why = [
        line
        for row in told.itertuples()
        for line in broken(f"{row.fitter} (fitted up to {row.fitted_to:,}): {row.problem}")
    ]
    return "\n".join([*lines, *([""] if why else []), *why, *warnings])


def broken(text: str) -> list[str]:
    """Return a text in lines that fit."""
    return wrap(text, WIDTH, subsequent_indent="  ")


def per_size(by_size: pd.DataFrame, order: list[str]) -> list[str]:
    """Return a line a law or model, best first, and a column a train size."""
    wide = by_size.pivot(index="fitter", columns="train_size", values="abs_log_error").loc[order]
    return table_lines(wide.rename(columns="{:,}".format).rename_axis(columns=None).reset_index())
