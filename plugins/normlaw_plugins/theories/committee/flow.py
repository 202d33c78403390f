"""The right-hand side of the order-parameter equations, apart in its linear part with frozen W and the rest."""

from __future__ import annotations

import numpy as np

from normlaw_plugins.theories.committee.averages import AVERAGES, Array, Averages
from normlaw_plugins.theories.committee.model import Model


class Flow:
    """The equations of one model; a state is y = (R_e | Q_e), shape (L, K, M + K)."""

    def __init__(self, model: Model, T: Array) -> None:
        self.model, self.T = model, T
        self.rate = (model.eta * model.s * model.eigenvalues)[:, None, None]
        self.diffusion = (model.eta * model.s) ** 2 * (model.eigenvalues * model.fractions)[:, None, None]
        self.averages = AVERAGES[model.activation]
        self.amplitudes = model.amplitudes
        self.T1 = np.tensordot(model.eigenvalues, T, 1)
        self.shape = T.shape[0], model.K, model.M + model.K

    def at(self, y: Array) -> Averages:
        """Return W and X of a state."""
        K, M = self.model.K, self.model.M
        moments = np.tensordot(self.model.eigenvalues, y, 1)  # (K, M + K)
        C = np.empty((K + M, K + M))
        C[:K, :K], C[:K, K:], C[K:, :K], C[K:, K:] = moments[:, M:], moments[:, :M], moments[:, :M].T, self.T1
        return self.averages(C, self.amplitudes, K)

    def slope(self, y: Array) -> Array:
        """Return dy/dalpha."""
        return self.with_averages(y, self.at(y))

    def with_averages(self, y: Array, averages: Averages) -> Array:
        """Return dy/dalpha where W and X are known."""
        K, M = self.model.K, self.model.M
        W_J, W_B = averages.response[:, :K], averages.response[:, K:]
        R = y[:, :, :M]
        result: Array = np.matmul(W_J, y)
        result[:, :, :M] += np.matmul(W_B, self.T)
        pulled = result[:, :, M:]
        pulled += np.matmul(W_B, R.transpose(0, 2, 1))
        pulled += pulled.transpose(0, 2, 1).copy()
        result *= self.rate
        result[:, :, M:] += self.diffusion * averages.noise
        return result
