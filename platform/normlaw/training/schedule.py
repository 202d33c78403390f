"""When to measure: log-spaced optimiser steps."""

from __future__ import annotations

import numpy as np


def measuring_steps(total: int, points: int) -> tuple[int, ...]:
    """Return the optimiser steps at which a run is measured, ascending.

    Step 0 (the initial network), then at most `points` steps log-spaced from 1 to `total`, both included;
    at the start, where several of them round to one step, that step is taken once.

    >>> measuring_steps(100, 5)
    (0, 1, 3, 10, 32, 100)
    """
    spaced = np.geomspace(1, total, points).round().astype(int)
    return tuple(sorted({0, total, *spaced.tolist()}))
