"""Do two analyses find different exponents? Differences with their errors, also where runs are shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import inf, isfinite, nan, sqrt
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq
from scipy.special import stdtrit

COMPARED = ("gamma_0", "gamma_1", "gamma_2", "gamma_pred", "gamma_meas")
OF_ANY_NORM = ("gamma_meas",)
"""Exponents that do not depend on the norm in which laws are read."""
MOST_FREEDOM = 1e6


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of one analysis."""

    name: str
    """The study, and the setting if it has several."""
    norm: str
    response: str
    protocol: str
    confidence: float
    """Level of the limits."""
    estimates: Mapping[str, Mapping[str, float | None]]
    """Of each number its value, stderr, low, high, statistical, as `Estimate.to_dict` has them."""
    runs: frozenset[str]
    """Identities of the runs that were analysed."""
    influence: pd.DataFrame | None = None
    """By how much each run moves each exponent, the runs as index; None: the protocol does not say."""


def differences(first: Sequence[Known], second: Sequence[Known] | None, confidence: float) -> pd.DataFrame:
    """Return the differences of exponents of analyses, a row a pair and exponent.

    The error of a difference is that of both analyses less twice their covariance, which comes from the runs
    that they share: the sum over these of what each run moves both exponents by, where the protocol tells it.
    Else, of one quantity, the covariance is n_both / sqrt(n_1 n_2) s_1 s_2, and at most s_1^2 and s_2^2, with s
    the errors from the scatter of runs: what estimates have that weigh runs equally, and what an efficient
    estimate of the larger set has with any other one (Hausman 1978, lemma 2.1). Of other quantities it counts
    as 0, which makes differences of what rises and falls together look less certain than they are.

    Degrees of freedom are Welch and Satterthwaite's, from those that the limits of the two estimates rest on.

    Args:
        first: analyses.
        second: analyses to hold against each of the first; None: all pairs of the first.
        confidence: level of the limits.

    Returns:
        Columns first, second, exponent, value_1, stderr_1, value_2, stderr_2, difference (first less second),
        stderr, low, high, z, freedom, p (two-sided, Student's t), p_holm (p for all pairs of an exponent
        together, Holm 1979), runs_shared.

    """
    pairs = combinations(first, 2) if second is None else product(first, second)
    rows = [
        _row(one, two, name, confidence)
        for one, two in pairs
        for name in COMPARED
        if name in one.estimates and name in two.estimates
    ]
    table = pd.DataFrame(rows)
    if not table.empty:
        table["p_holm"] = table.groupby("exponent")["p"].transform(_holm)
    return table


def freedom_of(estimate: Mapping[str, float | None], confidence: float) -> float:
    """Return the degrees of freedom for which limits at this level are as wide as these.

    >>> limits = {"value": 0.0, "stderr": 1.0, "low": -2.228138852, "high": 2.228138852}
    >>> round(freedom_of(limits, 0.95), 3)
    10.0
    """
    low, high, stderr = (_number(estimate, key) for key in ("low", "high", "stderr"))
    reach, level = (high - low) / 2 / stderr if stderr > 0 else nan, 0.5 + confidence / 2

    def excess(log_freedom: float) -> float:
        return float(stdtrit(np.exp(log_freedom), level)) - reach

    if not isfinite(reach) or excess(np.log(MOST_FREEDOM)) >= 0:
        return inf
    if excess(0.0) <= 0:
        return 1.0
    return float(np.exp(brentq(excess, 0.0, np.log(MOST_FREEDOM))))


def covariance(one: Known, two: Known, name: str) -> float:
    """Return the covariance of an exponent of two analyses, from the runs that they share."""
    shared = one.runs & two.runs
    if not shared:
        return 0.0
    errors = _scatter(one.estimates[name]), _scatter(two.estimates[name])
    most = errors[0] * errors[1]
    if one.influence is not None and two.influence is not None:
        runs = sorted(shared)
        moved = (
            each.influence[name].reindex(runs).to_numpy() for each in (one, two) if each.influence is not None
        )
        return float(np.clip(np.nansum(np.multiply(*moved)), -most, most))
    alike = (one.response, one.protocol) == (two.response, two.protocol)
    if not alike or not (one.norm == two.norm or name in OF_ANY_NORM):
        return 0.0
    share = len(shared) / sqrt(len(one.runs) * len(two.runs))
    return min(share * most, errors[0] ** 2, errors[1] ** 2)


def _row(one: Known, two: Known, name: str, confidence: float) -> dict[str, Any]:
    a, b = one.estimates[name], two.estimates[name]
    value_1, stderr_1, value_2, stderr_2 = (_number(e, key) for e in (a, b) for key in ("value", "stderr"))
    difference = value_1 - value_2
    variances = stderr_1**2, stderr_2**2
    stderr = (
        sqrt(max(sum(variances) - 2 * covariance(one, two, name), 0.0)) if isfinite(sum(variances)) else nan
    )
    of_both = [
        v**2 / freedom_of(e, k.confidence) for v, e, k in zip(variances, (a, b), (one, two), strict=True)
    ]
    freedom = sum(variances) ** 2 / sum(of_both) if sum(of_both) > 0 else inf
    z = difference / stderr if stderr > 0 else (0.0 if difference == 0 else nan)
    p = 2 * float(stats.t.sf(abs(z), freedom))
    reach = float(stats.t.ppf(0.5 + confidence / 2, freedom)) * stderr
    return {
        "first": one.name,
        "second": two.name,
        "exponent": name,
        "value_1": value_1,
        "stderr_1": stderr_1,
        "value_2": value_2,
        "stderr_2": stderr_2,
        "difference": difference,
        "stderr": stderr,
        "low": difference - reach,
        "high": difference + reach,
        "z": z,
        "freedom": freedom,
        "p": p,
        "p_holm": p,
        "runs_shared": len(one.runs & two.runs),
    }


def _scatter(estimate: Mapping[str, float | None]) -> float:
    """Return the error from the scatter of runs; all of it where the protocol does not part it."""
    part = estimate.get("statistical")
    return _number(estimate, "stderr") if part is None else float(part)


def _number(estimate: Mapping[str, float | None], key: str) -> float:
    value = estimate.get(key)
    return nan if value is None else float(value)


def _holm(p: pd.Series[float]) -> pd.Series[float]:
    """Return p-values for all of them together (Holm 1979); those that are not known stay so.

    statsmodels gives the same, and looks for garbage in the whole process each time, which takes 0.3 s.
    """
    known = p.dropna().sort_values()
    return (known * np.arange(len(known), 0, -1)).cummax().clip(upper=1.0).reindex(p.index)
