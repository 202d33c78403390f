"""The right-hand side of the order-parameter equations, apart in its linear part with frozen W and the rest."""

from __future__ import annotations

import numpy as np

from normlaw_plugins.theories.committee.averages import AVERAGES, Array, Averages
from normlaw_plugins.theories.committee.model import Model


class Flow:
    """The equations of one model; a state is y = (R_e | Q_e), shape (L, K, M + K)."""

    def __init__(self, model: Model, T: Array) -> None:
        from normlaw_plugins.theories.committee.compiled import compiled, slope  # numba: only where it is used

        self._slope = compiled(slope)
        self.model, self.T = model, T
        self._rate = model.eta * model.s * model.eigenvalues  # (L,)
        self._diffusion = (model.eta * model.s) ** 2 * (model.eigenvalues * model.fractions)  # (L,)
        self.rate = self._rate[:, None, None]
        self.averages = AVERAGES[model.activation]
        self.amplitudes = model.amplitudes
        self.T1 = np.tensordot(model.eigenvalues, T, 1)
        self.shape = T.shape[0], model.K, model.M + model.K

    def at(self, y: Array) -> Averages:
        """Return W and X of a state."""
        K, M = self.model.K, self.model.M
        moments = (self.model.eigenvalues @ y.reshape(len(y), -1)).reshape(K, M + K)
        C = np.empty((K + M, K + M))
        C[:K, :K], C[:K, K:], C[K:, :K], C[K:, K:] = moments[:, M:], moments[:, :M], moments[:, :M].T, self.T1
        return self.averages(C, self.amplitudes, K)

    def slope(self, y: Array) -> Array:
        """Return dy/dalpha."""
        return self.with_averages(y, self.at(y))

    def with_averages(self, y: Array, averages: Averages) -> Array:
        """Return dy/dalpha where W and X are known."""
        found: Array = self._slope(y, self.T, averages.response, averages.noise, self._rate, self._diffusion)
        return found
