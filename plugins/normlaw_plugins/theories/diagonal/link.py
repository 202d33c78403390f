r"""The link G between the dual variable s and the weights, taken as c G by the logarithm of c = a^D.

u parametrises s: s = u for depth 2, s = tanh u beyond. With p = D/(D - 2) and L(u) = ln((1 + e^(2u))/2),
which is -ln(1 - s), G = e^(p L(u)) - e^(p L(-u)) for D > 2. Differences between u and u + t are formed
without cancellation, however small t is. Every function is elementwise and broadcasts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Link:
    """G of one depth."""

    depth: int

    @property
    def power(self) -> float:
        """Order p = D/(D - 2) of the poles at s = +-1; there are none for D = 2."""
        return self.depth / (self.depth - 2)

    @property
    def slope_at_zero(self) -> float:
        """dG/ds at s = 0."""
        return 2.0 if self.depth == 2 else 2.0 * self.power

    @property
    def strip(self) -> float:
        """Width in u on which the corners of h(v) are smooth: its poles lie at Im u = pi times this."""
        return 1.0 if self.depth == 2 else 1.0 / (2.0 * self.power + 2.0)

    def s(self, u: Array) -> Array:
        """Return s(u)."""
        return u if self.depth == 2 else np.tanh(u)

    def s_step(self, u: Array, t: Array) -> Array:
        """Return s(u + t) - s(u)."""
        if self.depth == 2:
            return np.asarray(t + 0.0 * u)
        end = u + t  # sinh(t)/(cosh(u + t) cosh(u)), powers of e taken out
        growth = np.exp(np.abs(t) - np.abs(end) - np.abs(u))
        sinh = np.sign(t) * -np.expm1(-2.0 * np.abs(t))
        return np.asarray(
            2.0 * growth * sinh / ((1.0 + np.exp(-2.0 * np.abs(end))) * (1.0 + np.exp(-2.0 * np.abs(u))))
        )

    def s_slope(self, u: Array) -> Array:
        """Return ds/du."""
        if self.depth == 2:
            return np.ones_like(u)
        decay = np.exp(-2.0 * np.abs(u))
        return np.asarray(4.0 * decay / (1.0 + decay) ** 2)

    def step(self, log_c: Array, u: Array, t: Array) -> Array:
        """Return c (G(u + t) - G(u)); with u = 0, c G(t) itself."""
        if self.depth == 2:  # 4 c cosh(u + t/2) sinh(t/2)
            middle = np.abs(u + 0.5 * t)
            up = np.exp(log_c + middle + 0.5 * np.abs(t))
            return np.asarray(np.sign(t) * up * (1.0 + np.exp(-2.0 * middle)) * -np.expm1(-np.abs(t)))
        p = self.power
        up = np.exp(log_c + p * log_pole(u)) * np.expm1(p * log_pole_step(u, t))
        return np.asarray(up - np.exp(log_c + p * log_pole(-u)) * np.expm1(p * log_pole_step(-u, -t)))

    def slope(self, log_c: Array, u: Array) -> Array:
        """Return c dG/du."""
        if self.depth == 2:
            return np.asarray(np.exp(log_c + u) + np.exp(log_c - u))
        p = self.power
        up = np.exp(log_c + p * log_pole(u)) * expit(2.0 * u)
        return np.asarray(2.0 * p * (up + np.exp(log_c + p * log_pole(-u)) * expit(-2.0 * u)))

    def weights_squared(self, log_c: Array, u: Array) -> Array:
        """Return w_+^2 + w_-^2 with w_+^D - w_-^D = c G(u), where the flow has come from w_+ = w_- = a."""
        log_a2 = 2.0 * log_c / self.depth
        if self.depth == 2:
            return np.asarray(np.exp(log_a2 + u) + np.exp(log_a2 - u))
        q = 2.0 / (self.depth - 2)
        return np.asarray(np.exp(log_a2 + q * log_pole(u)) + np.exp(log_a2 + q * log_pole(-u)))

    def reach(self, log_c: Array, value: Array) -> Array:
        """Return a u >= 0 at which c G is `value` >= 0 or more, and hardly more where that is far above c."""
        with np.errstate(divide="ignore"):
            log_ratio = np.log(value) - log_c
        if self.depth == 2:  # asinh(value/2c) <= ln(1 + value/c)
            return np.logaddexp(0.0, log_ratio)
        level = np.logaddexp(0.0, log_ratio) / self.power  # L(u) = level is enough, since G >= e^(p L) - 1
        return np.asarray(0.5 * (level + np.log(2.0 - np.exp(-level))))


def log_pole(u: Array) -> Array:
    """Return L(u) = -ln(1 - tanh u)."""
    return np.asarray(np.logaddexp(0.0, 2.0 * u) - np.log(2.0))


def log_pole_step(u: Array, t: Array) -> Array:
    """Return L(u + t) - L(u)."""
    near = np.clip(t, -0.5, 0.5)
    close = np.log1p(expit(2.0 * u) * np.expm1(2.0 * near))
    return np.where(np.abs(t) <= 0.5, close, log_pole(u + t) - log_pole(u))
