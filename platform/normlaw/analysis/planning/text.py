"""A plan as text for the terminal."""

from __future__ import annotations

from normlaw.analysis.planning.design import half_width_of
from normlaw.analysis.planning.plan import Outlook
from normlaw.analysis.prediction_text import broken
from normlaw.analysis.text_tables import table_lines
from normlaw_registry import Estimate
from normlaw_registry.dataset import EXAMPLES

SHOWN = 12
"""Actions that are printed."""


def render_outlook(outlook: Outlook, budget: float | None) -> str:
    """Return what further runs would bring, and the plan for a budget in core-hours, as plain text."""
    table = outlook.actions.head(SHOWN)
    shown = table.assign(
        core_hours=table["core_hours"].map("{:.3g}".format),
        half_width=table["half_width"].map("{:.4f}".format),
        narrower=table["narrower"].map("{:.1%}".format),
        per_core_hour=table["per_core_hour"].map(_rate),
    )
    counted = "" if outlook.unit == EXAMPLES else f", P in {outlook.unit}"
    lines = [
        *broken(
            f"gamma_pred {_told(outlook.now)} now (protocol {outlook.protocol}, limits of "
            f"{outlook.confidence:.0%}{counted}); what single actions are expected to make of it:"
        ),
        "",
        *table_lines(shown),
    ]
    if len(outlook.actions) > SHOWN:
        lines.append(f"and {len(outlook.actions) - SHOWN} more, which bring less for a core-hour")
    if budget is None:
        return "\n".join(lines)
    lines += ["", *broken(f"plan for {budget:.3g} core-hours, which takes {outlook.core_hours:.3g}:")]
    if outlook.again is not None:
        lines.append(f"  {outlook.again.told}, as a study of their own")
    runs = outlook.added if outlook.again is None else outlook.again.runs
    lines += [f"  {n:>4} {'run' if n == 1 else 'runs'} at P = {size:,}" for size, n in sorted(runs.items())]
    if not runs:
        lines.append("  no run of this setting")
    lines += [
        "",
        f"expected after it:                    {_told(outlook.foretold)}",
        f"after more seeds of every size alike: {_told(outlook.evenly)}",
    ]
    return "\n".join(lines)


def _rate(share: float) -> str:
    """Return a share an hour with three digits.

    >>> _rate(0.01234), _rate(22.32)
    ('1.23%', '2,232%')
    """
    return f"{share:,.0%}" if abs(share) >= 1 else f"{share:.2%}"


def _told(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} +- {half_width_of(estimate):.4f}"
