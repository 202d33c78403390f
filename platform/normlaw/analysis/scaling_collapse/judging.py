"""Whether curves supercollapse: a verdict by a stated rule, and what it hangs on.

At x = 1 Delta is 0 by construction, so that a stretch before it always lies below the floor. The rule asks for
more than half of the range of x, with or without gaps: supercollapse where the lower limit of that fraction
lies above 1/2, none where the upper limit lies below, else the curves do not tell. (A single point above the
floor ends the stretch up to x = 1, which scatters accordingly.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from normlaw.analysis.scaling_collapse.ladder import Floats, Ladder
from normlaw.study.collapse_choice import ABSCISSAS
from normlaw_registry import AnalysisWarning, Estimate

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.scaling_collapse.result import Verdict

HALF = 0.5


def judged(
    numbers: Mapping[str, Estimate], scan: pd.DataFrame, ladder: Ladder, x: Floats
) -> tuple[Verdict, AnalysisWarning, list[AnalysisWarning]]:
    """Return the verdict, its reason, and warnings.

    Args:
        numbers: what was found.
        scan: the numbers for each floor of the loss.
        ladder: the curves.
        x: the grid.

    """
    share, begin = numbers["collapse_fraction"], numbers["collapse_below_from"]
    if share.low > HALF:
        verdict: Verdict = "supercollapse"
    elif share.high < HALF:
        verdict = "no_supercollapse"
    else:
        verdict = "cannot_tell"
    to = numbers.get("collapse_below_to")
    until = "1" if to is None else f"{to.value:.3g}"
    reason = AnalysisWarning(
        code="below_the_floor",
        message=f"the deviation lies below the noise floor of the seeds on {share.value:.0%} of "
        f"{ABSCISSAS[ladder.abscissa]} from {x[0]:.3g} to {x[-1]:.3g} ({share.low:.0%} to {share.high:.0%}), "
        f"and from "
        f"{begin.value:.3g} to {until} without a gap; supercollapse: on more than half",
    )
    floor, warnings = numbers["collapse_floor"], []
    likely = scan[scan["collapse_floor"].between(floor.low, floor.high)]
    other = likely[(likely["collapse_fraction"] > HALF) != (share.value > HALF)]
    if len(other):
        warnings.append(
            AnalysisWarning(
                code="collapse_hangs_on_floor",
                message=f"the verdict hangs on the floor of the loss: with {floor.value:.4g} the deviation is "
                f"below the noise floor on {share.value:.0%} of the range, with "
                f"{float(other['collapse_floor'].iloc[0]):.4g}, which is within its limits, on "
                f"{float(other['collapse_fraction'].iloc[0]):.0%}; a floor that is known is given with --floor",
            )
        )
    return verdict, reason, warnings
