"""What each arm does to the error: dose, response, and how much of a norm's effect a temperature undoes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from normlaw.analysis.cause.points import SCALE, ArmPoints
from normlaw.study.intervention import FREE

Floats = NDArray[np.float64]
RESPONSES = {
    "mean": "ln of the {noun} over that of the free run at the same step, mean over the points behind the fork",
    "least": "ln of the least {noun} over that of the free run",
}
"""Name -> what it is."""


@dataclass(frozen=True)
class Change:
    """What an arm changes, as far as doses are concerned."""

    holds: str = ""
    """What `hold_norm` holds; empty where it holds nothing."""
    factor: float = 1.0
    """How many times the norm at the fork it holds; nan where a value of its own is held."""
    temperature: float = 1.0
    other: bool = False
    """Whether anything else is changed too."""

    @classmethod
    def of(cls, intervention: Mapping[str, str]) -> Change:
        """Return what a run's listed parameters say, by their names without `intervention.`.

        >>> Change.of({"hold_norm.of": "weights", "hold_norm.factor": "0.5", "temperature": "0.25"})
        Change(holds='weights', factor=0.5, temperature=0.25, other=False)
        """
        given = {key: value for key, value in intervention.items() if value not in ("None", "{}", "")}
        own_value = "hold_norm.log_norm" in given
        known = ("hold_norm", "start", "temperature")
        return cls(
            holds=given.get("hold_norm.of", ""),
            factor=nan if own_value else float(given.get("hold_norm.factor", "1")),
            temperature=float(given.get("temperature", "1")),
            other=any(not key.startswith(known) for key in given),
        )


def effects(found: ArmPoints) -> pd.DataFrame:
    """Return what each arm does in each trunk: trunk, arm, `dose <variable>` (a norm, the scale), mean, least.

    A dose is the mean of ln of the variable less that of the free run at the same steps, behind the fork.
    """
    doses = [v for v in found.variables if v in (found.variables[0], SCALE)]
    free = found.behind[found.behind["arm"] == FREE]
    both = found.behind[found.behind["arm"] != FREE].merge(free, on=["trunk", "step"], suffixes=("", " free"))
    table = both[["trunk", "arm"]].assign(
        mean=both["y"] - both["y free"], **{f"dose {v}": both[v] - both[f"{v} free"] for v in doses}
    )
    table = table.groupby(["trunk", "arm"], sort=False).mean()
    least = found.behind.groupby(["trunk", "arm"], sort=False)["y"].min()
    of_free = least.xs(FREE, level="arm")
    table["least"] = [least[key] - of_free[key[0]] for key in table.index]
    return table.reset_index()


def mean_with_limits(values: Floats, confidence: float) -> dict[str, float]:
    """Return the mean over trunks with Student's limits: value, stderr, low, high."""
    values = values[np.isfinite(values)]
    n, value = len(values), float(values.mean()) if len(values) else nan
    stderr = float(values.std(ddof=1) / sqrt(n)) if n > 1 else nan
    reach = float(stats.t.ppf(0.5 + confidence / 2, n - 1)) * stderr if n > 1 else nan
    return {"value": value, "stderr": stderr, "low": value - reach, "high": value + reach}


def arms_table(of_trunks: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Return a row an arm and response: arm, response, value, stderr, low, high, and the mean doses."""
    rows = []
    for arm, own in of_trunks.groupby("arm", sort=False):
        doses = {str(c): float(own[c].mean()) for c in own.columns if str(c).startswith("dose ")}
        for name in RESPONSES:
            told = mean_with_limits(own[name].to_numpy(), confidence)
            rows.append({"arm": arm, "response": name, **told, **doses, "trunks": len(own)})
    return pd.DataFrame(rows)


def slopes(
    of_trunks: pd.DataFrame, changes: Mapping[str, Change], norm: str, confidence: float
) -> pd.DataFrame:
    """Return the slope of the response in the dose: of held norms, and of temperatures alone.

    A slope is fitted to the arms of each trunk by least squares, and its error is the scatter between trunks.

    Returns:
        Columns changed (norm or temperature), response, arms, value (per unit of ln), stderr, low, high.

    """
    held = [a for a, c in changes.items() if c.holds and c.temperature == 1 and not c.other]
    heated = [a for a, c in changes.items() if not c.holds and c.temperature != 1 and not c.other]
    temperature = {arm: np.log(changes[arm].temperature) for arm in heated}
    rows = []
    for what, arms in (("norm", held), ("temperature", heated)):
        own = of_trunks[of_trunks["arm"].isin(arms)]
        own = own.assign(dose=own[f"dose {norm}"] if what == "norm" else own["arm"].map(temperature))
        for name in RESPONSES:
            found = [_slope(rows_of, name, free=what == "temperature") for _, rows_of in own.groupby("trunk")]
            told = mean_with_limits(np.array(found), confidence)
            if np.isfinite(told["value"]):
                rows.append({"changed": what, "response": name, "arms": " ".join(arms), **told})
    return pd.DataFrame(rows, columns=["changed", "response", "arms", "value", "stderr", "low", "high"])


def _slope(rows: pd.DataFrame, response: str, *, free: bool) -> float:
    """Return the slope of a trunk; the free run is a point of it where it has the dose zero by definition."""
    dose = np.append(rows["dose"].to_numpy(dtype=np.float64), [0.0] if free else [])
    y = np.append(rows[response].to_numpy(dtype=np.float64), [0.0] if free else [])
    good = np.isfinite(dose) & np.isfinite(y)
    dose, y = dose[good], y[good]
    if len(dose) < 2 or np.ptp(dose) < 1e-6:
        return nan
    return float(stats.linregress(dose, y).slope)


def undone(of_trunks: pd.DataFrame, changes: Mapping[str, Change], confidence: float) -> pd.DataFrame:
    """Return which fraction of the effect of a held norm a temperature undoes, of each pair of such arms.

    The effects are ln errors less those of the arm that holds the norm at its value, or of the free run where
    there is none: a of the norm alone, b of the norm with the temperature. The fraction is 1 - b/a of the means
    over trunks, with Fieller's limits (1954, Journal of the Royal Statistical Society B 16, 175), which are
    infinite where a may be zero.

    Returns:
        Columns arm (with the temperature), without, response, effect, effect_with, fraction, low, high.

    """
    rows = []
    wide = {name: of_trunks.pivot(index="trunk", columns="arm", values=name) for name in RESPONSES}
    for arm, change in changes.items():
        if not change.holds or change.temperature == 1 or change.other:
            continue
        plain = Change(change.holds, change.factor, 1.0)
        without = next((a for a, c in changes.items() if c == plain), None)
        if without is None or change.factor == 1:
            continue
        kept = next((a for a, c in changes.items() if c == Change(change.holds)), None)
        for name, table in wide.items():
            if arm not in table or without not in table:
                continue
            of = table[[without, arm]].sub(table.get(kept, 0.0), axis=0).dropna()
            a, b = of[without].to_numpy(), of[arm].to_numpy()
            ratio, low, high = fieller(b, a, confidence)
            rows.append(
                {
                    "arm": arm,
                    "without": without,
                    "response": name,
                    "effect": float(a.mean()),
                    "effect_with": float(b.mean()),
                    "fraction": 1 - ratio,
                    "low": 1 - high,
                    "high": 1 - low,
                }
            )
    columns = ["arm", "without", "response", "effect", "effect_with", "fraction", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def fieller(b: Floats, a: Floats, confidence: float) -> tuple[float, float, float]:
    """Return the ratio of two means of pairs with Fieller's limits; infinite where the lower mean may be zero.

    The limits are the ratios r for which the mean of b - r a may be zero by Student's test.

    Args:
        b: (n,).
        a: (n,).
        confidence: level of the limits.

    """
    n = len(a)
    if n < 2 or not a.any():
        return nan, -inf, inf
    t = float(stats.t.ppf(0.5 + confidence / 2, n - 1)) ** 2 / n
    (bb, ab), (_, aa) = np.cov(b, a)
    x, y = float(b.mean()), float(a.mean())
    lead, middle, last = y**2 - t * aa, x * y - t * ab, x**2 - t * bb
    root = middle**2 - lead * last
    if lead <= 0 or root < 0:
        return x / y, -inf, inf
    return x / y, float((middle - sqrt(root)) / lead), float((middle + sqrt(root)) / lead)
