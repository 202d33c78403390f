"""From a frame of learning curves to a ladder of sizes and what is found of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from normlaw.analysis.abscissa_points import OTHER_NAMES, named_runs
from normlaw.analysis.columns import PREFIX
from normlaw.analysis.curves import prepare
from normlaw.analysis.scaling_collapse.ladder import ladder_of
from normlaw.analysis.scaling_collapse.measure import measure
from normlaw.analysis.scaling_collapse.resampling import DRAWS
from normlaw.analysis.scaling_collapse.result import ScalingCollapse
from normlaw.study.collapse_choice import LOGARITHMIC, TRAIN_SIZE, Abscissa, checked_abscissa
from normlaw_registry import AnalysisWarning, InputError, Response
from normlaw_registry.curves import floats, run_optima
from normlaw_registry.errors import brief, suggestion

SPENT = {"compute": "compute", "steps": "step"}
"""Abscissa -> the column that holds it."""


def scaling_collapse(
    curves: pd.DataFrame,
    abscissa: str,
    *,
    over: str = TRAIN_SIZE,
    norm: str | None = None,
    response: Response | None = None,
    floor: float | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    departures: Mapping[float, float] | None = None,
) -> ScalingCollapse:
    """Return how far the normalised curves of several sizes deviate from one, against the noise of their seeds.

    Args:
        curves: a row a measured point: the sizes (`over`), test/error or test/loss (or test_error, test_loss),
            optionally run and seed, and, as the abscissa asks, step, `compute` (what was spent up to there, in
            any unit), or log_norm/<measure> (or log_norm; natural log). Runs of one size differ in their seed
            alone.
        abscissa: compute, steps, norm (over the optimal norm) or departure (over the departure norm).
        over: the column of the sizes: numbers, or lists, whose largest number is the size.
        norm: the measure, where there are several; default: the first.
        response: the loss, by default the test error. Its floor, if not 0, is L0.
        floor: L0; by default the response's, else fitted on compute and steps, and 0 on norms.
        confidence: level of all limits.
        draws: resamplings of the runs.
        departures: size -> ln of its departure norm, for that abscissa.

    Raises:
        InputError: a column is missing, there is no such abscissa, fewer than 3 sizes have two runs, or the
            curves have no range in common.

    """
    kind, response = checked_abscissa(abscissa), response or Response()
    if floor is None and response.floor:
        floor = response.floor
    if floor is not None:
        response = replace(response, floor=floor)  # refuses what is none
    raw = replace(response, floor=0.0)
    frame = curves.rename(columns={a: b for a, b in OTHER_NAMES.items() if b not in curves.columns})
    _need(frame, over, "collapse")
    sizes = [size_of(value) for value in frame[over]]
    labels = {size: label_of(value) for size, value in zip(sizes, frame[over], strict=True)}
    frame = named_runs(frame.assign(size=sizes), "size")
    warnings: list[AnalysisWarning] = []
    anchors: dict[str, float] | None = None
    if kind in LOGARITHMIC:
        points, told = _points(frame, norm, raw)
        warnings += told
        optima = run_optima(points)
        if kind == "norm":
            anchors = dict(zip(optima["run"], floats(optima, "log_norm"), strict=True))
        else:
            known = departures or {}
            kept = points["size"].map(lambda size: bool(np.isfinite(known.get(size, np.nan))))
            lost = sorted({labels[size] for size in points.loc[~kept, "size"]}, key=str)
            if lost:
                what = f"sizes that do not leave the envelope were left out: {', '.join(lost)}"
                warnings.append(AnalysisWarning(code="collapse_sizes_left_out", message=what))
            points = points[kept]
            anchors = {run: known[size] for run, size in zip(points["run"], points["size"], strict=True)}
        taken = points.rename(columns={"log_norm": "u", "test_error": "loss"})[["run", "size", "u", "loss"]]
    else:
        taken, left = _spent(frame, kind, raw)
        warnings += left
    ladder, alone = ladder_of(taken, kind, anchors, {s: t for s, t in labels.items() if t != f"{s:,g}"})
    found = measure(ladder, raw, over, floor=floor, confidence=confidence, draws=draws, alone=tuple(alone))
    return replace(found, warnings=(*warnings, *found.warnings))


def size_of(value: Any) -> float:
    """Return the size that a cell holds: a number, or the largest of a list of numbers.

    >>> size_of("960"), size_of("[16, 32]"), size_of((64,))
    (960.0, 32.0, 64.0)

    Raises:
        InputError: it holds neither.

    """
    found = value
    if isinstance(value, str):
        try:
            found = json.loads(value.replace("(", "[").replace(",)", "]").replace(")", "]"))
        except ValueError:
            found = None
    try:
        size = float(max(found)) if isinstance(found, list | tuple) else float(found)
    except (TypeError, ValueError):
        size = np.nan
    if not 0 < size < np.inf:
        raise InputError(
            f"collapse: a size is a positive number, or a list of numbers, whose largest is taken, got "
            f"{brief(value)}"
        )
    return size


def label_of(value: Any) -> str:
    """Return what a size is called.

    >>> label_of("[16]"), label_of(960), label_of("[16, 32]")
    ('16', '960', '[16, 32]')
    """
    text = str(list(value)) if isinstance(value, list | tuple) else str(value)
    inner = text.strip("[]() ").rstrip(",")
    if "," in inner:
        return text
    return f"{float(inner):,g}"


def _points(
    frame: pd.DataFrame, norm: str | None, response: Response
) -> tuple[pd.DataFrame, tuple[AnalysisWarning, ...]]:
    """Return prepared points, with the size of each."""
    measured = [c for c in map(str, frame.columns) if c.startswith(PREFIX)]
    if not measured:
        raise InputError("collapse: the curves have no norm: take the abscissa compute or steps")
    column = PREFIX + norm if norm else measured[0]
    if column not in measured and measured == [f"{PREFIX}norm"]:  # curves of one measure, whatever it is called
        column = measured[0]
    _need(frame, column, "collapse")
    wanted = {
        column: "log_norm",
        **{f"{s}/{n}": f"{s}_{n}" for s in ("test", "validation") for n in ("error", "loss")},
    }
    have = {a: b for a, b in wanted.items() if a in frame.columns}
    codes, known = pd.factorize(frame["size"], sort=True)
    named = frame[["run", *have]].rename(columns=have).assign(train_size=codes + 1)
    points, warnings = prepare(named.dropna(subset="log_norm"), response)
    return points.assign(size=np.asarray(known)[points["train_size"] - 1]), warnings


def _spent(
    frame: pd.DataFrame, kind: Abscissa, response: Response
) -> tuple[pd.DataFrame, list[AnalysisWarning]]:
    """Return size, u and loss of each point after the start, on an abscissa of what was spent."""
    column, measured = SPENT[kind], response.quantity.replace("_", "/")
    if column not in frame.columns and kind == "compute":
        raise InputError(
            "collapse: nothing tells the compute of these curves: give it as the column `compute`, in any "
            "unit, or "
            "take the abscissa steps"
        )
    _need(frame, column, "collapse")
    _need(frame, measured, "collapse")
    taken = pd.DataFrame(
        {
            "run": frame["run"].astype(str),
            "size": frame["size"],
            "u": pd.to_numeric(frame[column], errors="coerce"),
            "loss": pd.to_numeric(frame[measured], errors="coerce"),
        }
    )
    finite = np.isfinite(floats(taken, "u")) & np.isfinite(floats(taken, "loss"))
    warnings = []
    if not finite.all():
        what = f"{int((~finite).sum())} points are not finite and were left out"
        warnings.append(AnalysisWarning(code="points_not_finite", message=what))
    if (negative := finite & (floats(taken, "loss") < 0)).any():
        raise InputError(
            f"collapse: {measured} must not be negative, got {float(taken.loc[negative, 'loss'].iloc[0]):g}"
        )
    return taken[finite & (floats(taken, "u") > 0)], warnings


def _need(frame: pd.DataFrame, column: str, what: str) -> None:
    if column not in frame.columns:
        raise InputError(
            f"{what}: curves lack the column {column!r}: {suggestion(column, list(frame.columns))}"
        )
