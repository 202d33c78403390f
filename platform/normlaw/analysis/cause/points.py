"""The points that arms are compared on: those behind the fork, while the error falls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw.analysis.abscissa_points import MARGIN
from normlaw.analysis.columns import PREFIX
from normlaw.study.intervention import FREE
from normlaw_registry import AnalysisWarning, InputError, Response
from normlaw_registry.curves import floats
from normlaw_registry.errors import suggestion

SCALE = "logit_scale"
"""The measure of how far apart the outputs are that the loss sees."""
CLOCKS = {"steps": "step", "training_loss": "train/loss"}
"""Variable -> column; their natural logs are taken."""
KINDS = {SCALE: "scale", "steps": "time", "training_loss": "loss"}
"""Of each variable; any other one is a norm."""
SAME = 1e-6
"""Relative difference up to which two measurements are of one state: stacks round otherwise."""
MIN_POINTS, MIN_TRUNKS, MIN_ARMS = 2, 4, 3


@dataclass(frozen=True, kw_only=True)
class ArmPoints:
    """Points of all arms of one setting behind their forks."""

    behind: pd.DataFrame
    """A row a point behind the fork: trunk, arm, train_size, step, y (ln of the response), and a column a
    variable with its natural log."""
    falling: NDArray[np.bool_]
    """Which of these rows belong to the part of their run in which the error falls, (rows,)."""
    variables: tuple[str, ...]
    """The norm first."""
    arms: tuple[str, ...]
    """The free one first."""
    warnings: tuple[AnalysisWarning, ...]

    @property
    def compared(self) -> pd.DataFrame:
        """The rows that variables are compared on, those of runs with enough of them."""
        rows = self.behind[self.falling]
        enough = rows.groupby(["trunk", "arm"])["y"].transform("size") >= MIN_POINTS
        return rows[enough].reset_index(drop=True)


def arm_points(curves: pd.DataFrame, norm: str, response: Response | None = None) -> ArmPoints:
    """Return the points of arms behind their forks.

    An arm leaves its trunk at the last measuring point up to which both have the same norm and training loss.
    The error of a run falls until it first comes within `MARGIN` of the least error of its trunk, and not
    beyond the last point within `MARGIN` of its own least error.

    Args:
        curves: of one setting: columns arm, train_size, seed, step, test/error (or test/loss), train/loss and
            log_norm/<measure> (natural log) for the norm.
        norm: the measure that is the norm.
        response: what falls, by default the test error.

    Raises:
        InputError: the norm was not measured, there are no arms, or fewer than 4 trunks have points.

    """
    response = response or Response()
    measured = response.quantity.replace("_", "/")
    taken = [c.removeprefix(PREFIX) for c in map(str, curves.columns) if c.startswith(PREFIX)]
    if norm not in taken:
        raise InputError(f"norm {norm!r} was not measured in these runs: {suggestion(norm, taken)}")
    columns = {norm: PREFIX + norm}
    columns |= {SCALE: PREFIX + SCALE} if SCALE in taken and norm != SCALE else {}
    columns |= {name: column for name, column in CLOCKS.items() if column in curves.columns}
    warnings: list[AnalysisWarning] = []
    if SCALE not in taken:
        what = "the scale of the outputs was not measured (`logit_scale` under `measures`): it is not compared"
        warnings.append(AnalysisWarning(code="no_logit_scale", message=what))
    frame = pd.DataFrame(
        {
            "trunk": curves["train_size"].astype(str) + "/" + curves["seed"].astype(str),
            "arm": curves["arm"].astype(str),
            "train_size": floats(curves, "train_size"),
            "step": floats(curves, "step"),
        }
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        frame["y"] = np.log(floats(curves, measured) - response.floor)
        for name, column in columns.items():
            values = floats(curves, column)
            frame[name] = values if column.startswith(PREFIX) else np.log(values)
    frame = frame.sort_values(["trunk", "arm", "step"], kind="stable").reset_index(drop=True)
    parts, falling, without, same = [], [], 0, 0
    for _, of_trunk in frame.groupby("trunk", sort=False):
        runs = {str(arm): rows.reset_index(drop=True) for arm, rows in of_trunk.groupby("arm", sort=False)}
        free = runs.pop(FREE, None)
        if free is None or not runs:
            without += 1
            continue
        forks = {
            arm: _fork(rows, free, [norm, *(n for n in CLOCKS if n in columns)]) for arm, rows in runs.items()
        }
        least = float(free["y"][np.isfinite(free["y"])].min())
        for arm, rows in {FREE: free, **runs}.items():
            fork = min(forks.values()) if arm == FREE else forks[arm]
            if arm != FREE and fork >= float(rows["step"].iloc[-1]):
                same += 1
                continue
            good = np.isfinite(rows[["y", *columns]].to_numpy()).all(axis=1)
            kept = (rows["step"].to_numpy() > fork) & good
            parts.append(rows[kept])
            falling.append(_falling(rows["y"].to_numpy(), good, least)[kept])
    if without:
        what = f"{without} trunks have no arms or no free run, and were not compared"
        warnings.append(AnalysisWarning(code="trunks_without_arms", message=what))
    if same:
        what = f"{same} arms are the same as their trunk to the end, and were not compared"
        warnings.append(AnalysisWarning(code="arms_without_change", message=what))
    behind = pd.concat(parts, ignore_index=True) if parts else frame.iloc[:0]
    names = list(dict.fromkeys(map(str, behind["arm"])))
    found = ArmPoints(
        behind=behind,
        falling=np.concatenate(falling) if falling else np.zeros(0, dtype=bool),
        variables=tuple(columns),
        arms=tuple(sorted(names, key=lambda name: (name != FREE, names.index(name)))),
        warnings=tuple(warnings),
    )
    _refuse_too_little(found)
    return found


def _fork(rows: pd.DataFrame, free: pd.DataFrame, columns: list[str]) -> float:
    """Return the last step up to which an arm and its trunk have the same values; -inf where there is none."""
    both = rows.merge(free, on="step", suffixes=("", " free")).sort_values("step")
    alike = np.all(
        [np.isclose(both[c], both[f"{c} free"], rtol=SAME, atol=SAME, equal_nan=True) for c in columns], axis=0
    )
    shared = np.logical_and.accumulate(alike)
    return float(both.loc[shared, "step"].max()) if shared.any() else -np.inf


def _falling(y: NDArray[np.float64], good: NDArray[np.bool_], least: float) -> NDArray[np.bool_]:
    """Return which points stand before the run reaches its trunk's least error, and not behind its own."""
    margin = np.log1p(MARGIN)
    values = np.where(good, y, np.inf)
    before = np.cumsum(values <= least + margin) == 0
    own = np.flatnonzero(values <= values.min() + margin)
    found: NDArray[np.bool_] = before & (np.arange(len(y)) <= own.max(initial=-1))
    return found


def _refuse_too_little(found: ArmPoints) -> None:
    rows = found.compared
    trunks, arms = rows["trunk"].nunique(), rows["arm"].nunique()
    if trunks < MIN_TRUNKS or arms < MIN_ARMS:
        raise InputError(
            f"causes are told from clocks on at least {MIN_TRUNKS} trunks (train sizes and seeds) and "
            f"{MIN_ARMS} arms, the free one among them, whose runs have {MIN_POINTS} points behind the fork "
            f"while the error falls; got {trunks} trunks and {arms} arms: run more, fork "
            "earlier, or measure more often"
        )
