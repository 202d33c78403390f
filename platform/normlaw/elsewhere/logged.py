"""What another program has logged of a run: parameters, and numbers over steps, under its own names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]


@dataclass(frozen=True)
class Series:
    """One quantity: values at steps that increase, both (n,)."""

    steps: Steps
    values: Floats

    @classmethod
    def of(cls, steps: Iterable[int], values: Iterable[float]) -> Series:
        """Return numbers in the order in which they were logged; of several at one step the last counts."""
        at = np.fromiter(steps, np.int64)
        found = np.fromiter(values, np.float64, len(at))
        kept, from_the_end = np.unique(at[::-1], return_index=True)
        return cls(kept, found[::-1][from_the_end])


@dataclass(frozen=True)
class LoggedRun:
    """One run, by the names of whoever logged it."""

    name: str
    """What a user knows it by, for messages and templates."""
    origin: str
    """What tells it from every other run anywhere, however far it has come."""
    params: Mapping[str, str]
    series: Mapping[str, Series] = field(default_factory=dict)
