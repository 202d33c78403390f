"""The numbers of Delta and sigma, and how they hang on the floor of the loss that is assumed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from normlaw.analysis.scaling_collapse.ladder import Floats, Ladder, means
from normlaw.analysis.scaling_collapse.statistics import Statistics, below, statistics
from normlaw_registry import Estimate

SCANNED = 17
WITHIN = 4.0
"""The scan takes what the best size's final loss exceeds the floor by from 1/4 to 4 times what it is."""
Row = dict[str, float]


def numbers_of(found: Statistics, ladder: Ladder, relative: Floats, floor: float) -> Row:
    """Return the numbers of Delta and sigma by name."""
    where = below(found, relative, 0.0 if ladder.logarithmic else 1.0)
    begin, end = float(where.begin), float(where.end)
    if ladder.logarithmic:
        begin, end = float(np.exp(begin)), float(np.exp(end))
    return {
        "collapse_below_from": begin,
        **({"collapse_below_to": end} if ladder.logarithmic else {}),
        "collapse_below_share": float(where.share),
        "collapse_fraction": float(where.fraction),
        "collapse_deviation": float(np.sqrt((found.deviation**2).mean())),
        "collapse_noise_floor": float(np.sqrt((found.noise**2).mean())),
        "collapse_floor": floor,
    }


def scanned(
    ladder: Ladder, relative: Floats, loss: Floats, anchor: Floats, floor: float, limits: Estimate
) -> pd.DataFrame:
    """Return the numbers for each floor of the scan, the confidence limits of L0 among them, lowest first."""
    best = float(means(anchor, ladder.size_of).min())
    factors = np.geomspace(WITHIN, 1 / WITHIN, SCANNED)
    floors = np.where(factors == factors[SCANNED // 2], floor, best - (best - floor) * factors)
    wanted = {*map(float, floors), limits.low, limits.high, *([0.0] if floors[0] < 0 else [])}
    kept = sorted(f for f in wanted if 0 <= f < float(anchor.min()))
    found = [numbers_of(statistics(loss, anchor, ladder.size_of, f), ladder, relative, f) for f in kept]
    return pd.DataFrame(found).assign(chosen=[f == floor for f in kept])
