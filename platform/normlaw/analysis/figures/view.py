"""How far an axis reaches: over all that was measured, and of limits over what lies near."""

from __future__ import annotations

import numpy as np

Ends = tuple[float, float]


def view(values: np.ndarray, ends: Ends, least: float = 0.0, share: float = 1.0) -> Ends:
    """Return the ends of an axis: where data end, limits run away, and would press all else into a line.

    Args:
        values: what is to be seen, in units in which the axis is even.
        ends: those of an axis on which all that is drawn is seen.
        least: how far it may reach beyond the values at least.
        share: else, so many times as far as they span.

    """
    known = values[np.isfinite(values)]
    if not len(known):
        return ends
    low, high = float(known.min()), float(known.max())
    room = max(share * (high - low), least)
    return max(ends[0], low - room), min(ends[1], high + room)
