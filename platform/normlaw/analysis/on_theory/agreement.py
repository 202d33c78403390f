"""How far trained runs are from exact answers, in standard errors: one table for every theory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import pandas as pd

from normlaw_registry import Counterpart, NormlawError, Theory, validate_params
from normlaw_registry.counterpart import LOG_NORM

COLUMNS = ("setting", "place", "axis", "at", "observable", "theory", "mean", "stderr", "runs", "z")
MOST_PLACES = 4
"""Of runs that are left out, told by name."""


@dataclass(frozen=True)
class TrainedRun:
    """A trained run with its counterpart."""

    setting: str
    """Of the study; empty where it has one setting."""
    counterpart: Counterpart
    curve: pd.DataFrame
    """A row a measuring point: step, and the columns that the counterpart reads."""


@dataclass(frozen=True)
class Agreement:
    """Trained runs beside what a theory says of them."""

    theory: Theory
    points: pd.DataFrame
    """A row a setting, place on the held axes (a text, and a column an axis), value `at` of the axis that is
    moved along (NaN where there is none), and observable: theory and mean are means over runs, `stderr` is the
    standard error of the mean of their differences, z is that mean over it."""
    runs: tuple[TrainedRun, ...]
    notes: tuple[str, ...]
    """What was left out, each reason once: runs that are not at their ends, and what the theory refused."""

    def scores(self) -> pd.DataFrame:
        """Return a row a setting and observable: points, root mean square of z, part within two, mean ratio."""
        rows = []
        for (setting, observable), found in self.points.groupby(["setting", "observable"], sort=False):
            z = found["z"].to_numpy(dtype=np.float64)
            z = z[np.isfinite(z)]
            rows.append(
                {
                    "setting": setting,
                    "observable": observable,
                    "points": len(found),
                    "rms_z": float(np.sqrt(np.mean(z**2))) if len(z) else np.nan,
                    "within_2": float(np.mean(np.abs(z) < 2.0)) if len(z) else np.nan,
                    "ratio": float((found["mean"] / found["theory"]).mean()),
                }
            )
        return pd.DataFrame(rows, columns=["setting", "observable", "points", "rms_z", "within_2", "ratio"])


class Solver:
    """Asks a theory for the points of runs; the same question is asked once."""

    def __init__(self, theory: Theory) -> None:
        self._theory = theory
        self._known: dict[str, list[Mapping[str, float] | None]] = {}
        self.notes: dict[str, None] = {}

    def points(self, counterpart: Counterpart, values: Sequence[float]) -> list[Mapping[str, float] | None]:
        """Return the points at these values of the axis that is moved along; None where there is no answer."""
        question = [dict(counterpart.params), dict(counterpart.held), counterpart.axis, list(values)]
        key = json.dumps(question, sort_keys=True, default=str)
        if key not in self._known:
            try:
                self._known[key] = list(self._ask(counterpart, values))
            except NormlawError:  # some of them, perhaps
                self._known[key] = [self._one(counterpart, value) for value in values]
        return self._known[key]

    def _one(self, counterpart: Counterpart, value: float) -> Mapping[str, float] | None:
        try:
            return self._ask(counterpart, [value])[0]
        except NormlawError as error:
            self.notes[str(error)] = None
            return None

    def _ask(self, counterpart: Counterpart, values: Sequence[float]) -> list[dict[str, float]]:
        params = validate_params(self._theory, dict(counterpart.params))
        grid: dict[str, Sequence[float]] = {name: [value] for name, value in counterpart.held.items()}
        if counterpart.axis is not None:
            grid[counterpart.axis] = values
        return self._theory.points(params, grid)


def agreement(theory: Theory, runs: Sequence[TrainedRun]) -> Agreement:
    """Set runs against a theory.

    Args:
        theory: the theory.
        runs: those that it is about.

    """
    solver = Solver(theory)
    at_end = [run for run in runs if not _unended(run)]
    notes = _of_unended([run for run in runs if _unended(run)], len(runs))
    parts = [part for run in at_end if (part := _compared(run, solver)) is not None]
    held = list(dict.fromkeys(name for run in runs for name in run.counterpart.held))
    columns = [*COLUMNS[:4], *held, *COLUMNS[4:]]
    if not parts:
        return Agreement(theory, pd.DataFrame(columns=columns), tuple(runs), (*notes, *solver.notes))
    frame = pd.concat(parts, ignore_index=True)
    keys = ["setting", "place", "axis", "at", "observable"]
    rows = []
    for key, found in frame.groupby(keys, sort=False, dropna=False):
        difference = (found["measured"] - found["theory"]).to_numpy(dtype=np.float64)
        count = len(difference)
        stderr = float(difference.std(ddof=1) / count**0.5) if count > 1 else np.nan
        rows.append(
            {
                **dict(zip(keys, key, strict=True)),
                **{name: found[name].iloc[0] for name in held if name in found},
                "theory": float(found["theory"].mean()),
                "mean": float(found["measured"].mean()),
                "stderr": stderr,
                "runs": count,
                "z": float(difference.mean()) / stderr if stderr > 0 else np.nan,
            }
        )
    return Agreement(theory, pd.DataFrame(rows)[columns], tuple(at_end), (*notes, *solver.notes))


def _unended(run: TrainedRun) -> list[str]:
    """Return the columns that say of a run's last point that it is not yet what the theory is about."""
    last = run.curve.sort_values("step").iloc[-1]
    limits = run.counterpart.ends_below
    return [name for name, most in limits.items() if name not in last.index or not last[name] <= most]


def _of_unended(runs: Sequence[TrainedRun], count: int) -> list[str]:
    """Return a note for each column by which runs are left out, and where they are."""
    notes = []
    for column in dict.fromkeys(name for run in runs for name in _unended(run)):
        found = [run for run in runs if column in _unended(run)]
        where = dict.fromkeys(_place(run.counterpart) for run in found)
        most = max(run.counterpart.ends_below[column] for run in found)
        places = "; ".join(list(where)[:MOST_PLACES]) + ("; ..." if len(where) > MOST_PLACES else "")
        notes.append(
            f"{len(found)} of {count} runs, whose {column} does not end at or below {most:g} ({places}): "
            "train them for more steps"
        )
    return notes


def _place(counterpart: Counterpart) -> str:
    return ", ".join(f"{axis} = {value:g}" for axis, value in counterpart.held.items())


def _compared(run: TrainedRun, solver: Solver) -> pd.DataFrame | None:
    """Return a row a point and observable of one run: theory and measured; None where there is nothing."""
    counterpart, curve = run.counterpart, run.curve.sort_values("step")
    if counterpart.axis is None:
        curve = curve.tail(1)
        values = [np.nan]
    else:
        curve = curve[curve["step"] > 0]  # where all begins is no answer of the training
        values = [float(step) * counterpart.per_step for step in curve["step"]]
    rows = []
    reads = {name: read for name, read in counterpart.reads.items() if read[0] in curve.columns}
    for place, point in enumerate(solver.points(counterpart, values)):
        if point is None:
            continue
        for name, (column, factor) in reads.items():
            found = float(curve[column].iloc[place])
            measured = factor * (np.exp(found) if column.startswith(LOG_NORM) else found)
            if np.isfinite(measured) and abs(point[name]) < inf:
                rows.append(
                    {
                        "setting": run.setting,
                        "place": _place(counterpart),
                        "axis": counterpart.axis or "",
                        "at": values[place],
                        **counterpart.held,
                        "observable": name,
                        "theory": point[name],
                        "measured": measured,
                    }
                )
    return pd.DataFrame(rows) if rows else None
