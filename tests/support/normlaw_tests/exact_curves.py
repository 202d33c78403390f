"""Curves without noise that obey the laws: error falls as norm^-0.5 to an optimum at norm P, then rises."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def exact_error(log_norm: NDArray[np.float64], train_size: int) -> NDArray[np.float64]:
    """Return the error at natural logs of norms, (n,); it is 0.6 P^-0.5 at its least, at the norm P."""
    rise = 1 + 0.5 * np.exp(1.5 * (log_norm - np.log(train_size)))
    return np.asarray(0.4 * np.exp(-0.5 * log_norm) * rise)


def exact_curves(
    sizes: Sequence[int], seeds: int, log_norm: NDArray[np.float64], apart: float = 0.01
) -> pd.DataFrame:
    """Return curves with the columns of a CSV file, size by size.

    Args:
        sizes: train sizes P.
        seeds: curves of each.
        log_norm: natural logs of the norms at which seed 0 is measured, (n,).
        apart: what each seed's are larger by than the last one's.

    """
    frames = []
    for size in sizes:
        for seed in range(seeds):
            x = log_norm + apart * seed
            error = exact_error(x, size)
            frames.append(pd.DataFrame({"train_size": size, "seed": seed, "log_norm": x, "test_error": error}))
    return pd.concat(frames)
