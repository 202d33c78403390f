"""Where a run is expected to be measured: the norms that runs of its train size go through."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw_registry.curves.columns import floats

Floats = NDArray[np.float64]
LAST = 1 / 3
"""Part of a path whose slope goes on in training that is longer."""


class Paths:
    """The mean path of each train size through the norms, and from these that of any size.

    Between train sizes a path is a line in ln P, point by point; beyond them it goes on with the slope of the
    line through all sizes.
    """

    def __init__(self, curves: pd.DataFrame) -> None:
        """Take curves with columns run, train_size, log_norm and, where it is known, step."""
        groups = [group for _, group in curves.groupby("run", sort=False)]
        self.points = max(int(np.median([len(group) for group in groups])), 2)
        columns = ["log_norm", *(["step"] if "step" in curves.columns else [])]
        resampled: dict[int, list[Floats]] = {}
        for group in groups:
            at = np.linspace(0, len(group) - 1, self.points)
            values = [np.interp(at, np.arange(len(group)), floats(group, column)) for column in columns]
            resampled.setdefault(int(group["train_size"].iloc[0]), []).append(np.stack(values))
        self.sizes = sorted(resampled)
        self._p = np.log(np.array(self.sizes, dtype=np.float64))
        means = np.stack([np.mean(resampled[size], axis=0) for size in self.sizes])  # (m, columns, points)
        self._norms = means[:, 0]
        self._steps = np.log1p(means[:, 1]) if len(columns) > 1 else None

    @property
    def has_steps(self) -> bool:
        """Whether it is known when each point was measured, so that longer training can be foretold."""
        return self._steps is not None and bool(np.ptp(self._steps, axis=1).min() > 0)

    def of(self, size: int, longer: float = 1.0, denser: float = 1.0) -> tuple[float, ...]:
        """Return the ln norms at which a run is expected to be measured, in order.

        Args:
            size: its train size.
            longer: how many times as many steps it is trained; the path goes on in ln step as it last did.
            denser: how many times as many measuring points it has.

        """
        norms = self._at(self._norms, size)
        at = np.linspace(0, 1, self.points) if self._steps is None else self._at(self._steps, size)
        wanted = np.linspace(at[0], at[-1] + np.log(longer), round(self.points * denser))
        if longer == denser == 1.0:
            return tuple(float(one) for one in norms)
        last = at >= at[-1] - LAST * (at[-1] - at[0])
        slope = float(np.polyfit(at[last], norms[last], 1)[0]) if last.sum() > 1 else 0.0
        found = np.interp(wanted, at, norms) + slope * np.maximum(wanted - at[-1], 0.0)
        return tuple(float(one) for one in found)

    def _at(self, table: Floats, size: int) -> Floats:
        """Return a row of a table (m, points) at any size."""
        p = float(np.log(size))
        inside = float(np.clip(p, self._p[0], self._p[-1]))
        found = np.array([np.interp(inside, self._p, column) for column in table.T])
        if p != inside:
            found = found + (p - inside) * np.polyfit(self._p, table, 1)[0]
        return np.asarray(found, dtype=np.float64)
