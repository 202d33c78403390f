"""Which variable the error follows across arms, judged by shares and their errors; or none can be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from scipy import stats

from normlaw.analysis.cause.shares import Shares, jackknife
from normlaw_registry import AnalysisWarning

Verdict = Literal["one_variable", "several_variables", "no_variable", "cannot_tell"]
ENOUGH = 0.05
"""The least share that a second variable has to explain beyond the first to be named."""


def judge(
    shares: Shares, variables: Sequence[str], confidence: float
) -> tuple[Verdict, tuple[str, ...], AnalysisWarning]:
    """Return the verdict, the variables that it names, and why.

    - no_variable: the best one explains nothing of arms that it was not fitted to.
    - cannot_tell: another one may explain as much as the best, by the jackknife of the difference.
    - several_variables: a second one explains `ENOUGH` beyond the best, and more than nothing by its error.
    - one_variable: none of these.
    """
    of = {name: shares.across[frozenset([name])] for name in variables}
    best = max(of, key=lambda name: float(of[name][0]))
    freedom = len(of[best]) - 2
    reach = float(stats.t.ppf(0.5 + confidence / 2, freedom))
    value, stderr = jackknife(of[best])
    if value - reach * stderr <= 0:
        what = (
            f"{best}, the best, explains {value:.2f} ± {stderr:.2f} of arms that it was not fitted to: maybe 0"
        )
        return "no_variable", (), AnalysisWarning(code="no_variable", message=what)
    rivals = []
    for name in variables:
        lead, of_lead = jackknife(of[best] - of[name])
        if name != best and lead - reach * of_lead <= 0:
            rivals.append((name, lead, of_lead))
    if rivals:
        told = ", ".join(f"{name} by {lead:.2f} ± {error:.2f}" for name, lead, error in rivals)
        what = f"{best} explains {value:.2f} ± {stderr:.2f}, and no more than its errors beyond {told}"
        return (
            "cannot_tell",
            (best, *(name for name, *_ in rivals)),
            AnalysisWarning(code="cannot_tell", message=what),
        )
    further = []
    for name in variables:
        if name != best:
            gain, of_gain = jackknife(shares.across[frozenset([best, name])] - of[best])
            if gain >= ENOUGH and gain - reach * of_gain > 0:
                further.append((name, gain, of_gain))
    further.sort(key=lambda each: -each[1])
    what = (
        f"{best} alone explains {value:.2f} ± {stderr:.2f} of what tells apart arms that it was not fitted to"
    )
    if further:
        what += "; beyond it " + ", ".join(f"{name} {gain:.2f} ± {error:.2f}" for name, gain, error in further)
        named = (best, *(name for name, *_ in further))
        return "several_variables", named, AnalysisWarning(code="several_variables", message=what)
    return "one_variable", (best,), AnalysisWarning(code="one_variable", message=f"{what}; no other adds to it")
