"""What rises along a grid by a slope that is positive by construction: the envelope, and the departure."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from normlaw_plugins.protocols.envelope_model.grid import integrated
from normlaw_plugins.protocols.envelope_model.runs import Floats

FADE = 1.5
"""A correction that fades is half there where rate (at - middle) = -FADE."""


class Rise:
    """The integral of height e^(correction) / (1 + e^(-rate (at - middle))) along a grid (F,)."""

    def __init__(
        self,
        at: Floats,
        log_height: float,
        log_rate: float,
        middle: float,
        basis: Floats,
        z: Floats,
        fades: bool,
    ) -> None:
        """Find the values; the correction is `basis` (F, k) times `z` (k,), faded out where it `fades`."""
        self._basis = basis
        self._rate = np.exp(log_rate)
        self._t = np.minimum(np.maximum(self._rate * (at - middle), -500.0), 500.0)
        self._whole = basis @ z  # the correction before it fades
        self._window = 1 / (1 + np.exp(-self._t - FADE)) if fades else None
        correction = self._whole if self._window is None else self._window * self._whole
        log = log_height - np.logaddexp(0.0, -self._t) + correction
        self.slope: Floats = np.asarray(np.exp(np.minimum(np.maximum(log, -500.0), 12.0)))
        self.value = integrated(self.slope, at)

    @cached_property
    def derivatives(self) -> Floats:
        """Those of the slope by log height, log rate, middle and z, (F, 3 + k)."""
        towards = 1 / (1 + np.exp(self._t))  # d ln(slope) / d t
        own = self.slope
        if self._window is not None:
            towards += self._window * (1 - self._window) * self._whole
            own = own * self._window
        by = np.empty((len(self._t), 3 + self._basis.shape[1]))
        by[:, 0] = self.slope
        by[:, 1] = self._t * towards * self.slope
        by[:, 2] = -self._rate * towards * self.slope
        np.multiply(self._basis, own[:, None], out=by[:, 3:])
        return by

    def bend(self, weights: Floats) -> Floats:
        """Return what a weighted sum of the derivatives by z changes by with each parameter, (3 + k,).

        Args:
            weights: (F, k).

        """
        own = np.einsum("fk,fk->f", weights, self._basis)  # weights of what each basis function is times
        if self._window is None:
            return np.asarray(own @ self.derivatives)
        by = np.asarray((own * self._window) @ self.derivatives)
        by_t = own * self.slope * self._window * (1 - self._window)
        by[1] += by_t @ self._t
        by[2] -= self._rate * by_t.sum()
        return by
