"""From the curves of arms to a `Cause`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

import numpy as np
import pandas as pd
from scipy import stats

from normlaw.analysis.cause import responses
from normlaw.analysis.cause.points import KINDS, arm_points
from normlaw.analysis.cause.responses import Change
from normlaw.analysis.cause.result import Cause
from normlaw.analysis.cause.shares import Floats, Shares, explained_shares, jackknife
from normlaw.analysis.cause.verdict import judge
from normlaw_registry import InputError, Response


def find_cause(
    curves: pd.DataFrame,
    norm: str,
    changes: Mapping[str, Change],
    *,
    response: Response | None = None,
    confidence: float = 0.95,
) -> Cause:
    """Return which variable the error follows in the arms of one setting; pure.

    Args:
        curves: columns arm (`free` of the trunk), train_size, seed, step, test/error or test/loss, train/loss,
            and log_norm/<measure> (natural log) for the norm and, where it is to be compared, `logit_scale`.
        norm: the measure that is the norm.
        changes: what each arm changes, by its name.
        response: what falls, by default the test error.
        confidence: level of all limits.

    Raises:
        InputError: confidence makes no sense, or the curves hold too little; see `points.arm_points`.

    """
    if not 0.5 <= confidence <= 1 - 1e-9:
        raise InputError(f"confidence must lie in [0.5, 1), 1e-9 below 1 at most, got {confidence:g}")
    response = response or Response()
    found = arm_points(curves, norm, response)
    points = found.compared
    shares = explained_shares(points, found.variables)
    verdict, named, reason = judge(shares, found.variables, confidence)
    of_trunks = responses.effects(found)
    return Cause(
        norm=norm,
        response=response,
        confidence=confidence,
        verdict=verdict,
        named=named,
        reason=reason,
        settable=judge(shares, [name for name in found.variables if KINDS.get(name) != "loss"], confidence),
        shares=_shares_table(shares, found.variables, confidence),
        pairs=_pairs_table(shares, found.variables, confidence),
        arms=responses.arms_table(of_trunks, confidence),
        slopes=responses.slopes(of_trunks, changes, norm, confidence),
        undone=responses.undone(of_trunks, changes, confidence),
        points=points,
        effects=of_trunks,
        total=shares.total,
        warnings=found.warnings,
    )


def _shares_table(shares: Shares, variables: tuple[str, ...], confidence: float) -> pd.DataFrame:
    rows = []
    everything = frozenset(variables)
    for comparison, of in (("across", shares.across), ("within", shares.within)):
        for name in variables:
            alone = _told(of[frozenset([name])], confidence)
            rest = of.get(everything - {name}, np.zeros_like(of[everything]))
            beyond = _told(of[everything] - rest, confidence)
            rows.append(
                {
                    "variable": name,
                    "kind": KINDS.get(name, "norm"),
                    "comparison": comparison,
                    **{f"alone{end}": value for end, value in alone.items()},
                    **{f"beyond{end}": value for end, value in beyond.items()},
                }
            )
    return pd.DataFrame(rows)


def _pairs_table(shares: Shares, variables: tuple[str, ...], confidence: float) -> pd.DataFrame:
    rows = []
    for first, second in permutations(variables, 2):
        told = _told(shares.across[frozenset([first, second])] - shares.across[frozenset([first])], confidence)
        rows.append({"first": first, "second": second, **{f"gain{end}": value for end, value in told.items()}})
    return pd.DataFrame(rows)


def _told(values: Floats, confidence: float) -> dict[str, float]:
    """Return a share with its jackknife error and Student's limits, by the ends of column names."""
    value, stderr = jackknife(values)
    reach = float(stats.t.ppf(0.5 + confidence / 2, len(values) - 2)) * stderr
    return {"": value, "_stderr": stderr, "_low": value - reach, "_high": value + reach}
