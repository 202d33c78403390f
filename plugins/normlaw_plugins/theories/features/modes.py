"""The modes of a power law, and sums over them: each one for the first, quadrature for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import inf, isinf, log

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SUMMED = 2000
"""So many modes and fewer are summed one by one."""
EXACT = 300
"""Of more, the first are."""
PANELS, NODES = 3, 12
"""Beyond, panels a decade of k, and Gauss-Legendre nodes in ln k of each."""
SMALLEST = 1e-24
"""Of infinitely many modes, those with lam_k below this are taken together: good for times far below 1e24."""


@dataclass(frozen=True, eq=False)
class Modes:
    """Eigenvalues k^-b and the weights of sums over them, each (n,): sum_k f(k) = sum_i weight_i f(k_i)."""

    count: float
    """How many there are; may be infinite."""
    lam: Array
    """lam_k, (n,)."""
    of_lam: Array
    """Weight times lam_k."""
    of_lam2: Array
    """Weight times lam_k^2."""
    of_target: Array
    """Weight times lam_k w_k^2 = k^-a."""
    of_lam_target: Array
    """Weight times lam_k^2 w_k^2."""
    of_squares: Array
    """Weight times w_k^2."""

    @property
    def trace(self) -> float:
        """Sum of lam_k."""
        return float(self.of_lam.sum())


@lru_cache(maxsize=32)
def power_law(a: float, b: float, count: float) -> Modes:
    """Return the modes k = 1..count, lam_k = k^-b and lam_k w_k^2 = k^-a; count may be infinite.

    Of more modes than SUMMED, a sum beyond EXACT is the integral over ln k from EXACT + 1/2 to count + 1/2
    with the first correction of Euler and Maclaurin, (f'(start) - f'(end))/24: the next is 1e-12 of f(1)
    and less. What infinitely many modes have below SMALLEST is one more mode.
    """
    k = np.arange(1.0, (count if count <= SUMMED else EXACT) + 1.0)
    weight = np.ones_like(k)
    end = SMALLEST ** (-1.0 / b) if isinf(count) else count + 0.5
    if count > SUMMED:
        start = EXACT + 0.5
        panels = max(1, int(np.ceil(log(end / start) / log(10.0) * PANELS)))
        edges = np.linspace(log(start), log(end), panels + 1)
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        half = np.diff(edges) / 2.0
        places = np.exp((edges[:-1] + half)[:, None] + half[:, None] * nodes).ravel()
        k = np.concatenate([k, places, [EXACT, EXACT + 1.0]])
        weight = np.concatenate([weight, (half[:, None] * weights).ravel() * places, [-1 / 24, 1 / 24]])
        if not isinf(count):
            k = np.concatenate([k, [count, count + 1.0]])
            weight = np.concatenate([weight, [1 / 24, -1 / 24]])
    powers = (b, 2 * b, a, a + b, a - b)
    sums = [weight * k**-power for power in powers]
    lam = k**-b
    if isinf(count):
        lam = np.append(lam, SMALLEST)
        sums = [
            np.append(values, end ** (1.0 - power) / (power - 1.0) if power > 1.0 else inf)
            for values, power in zip(sums, powers, strict=True)
        ]
    return Modes(count, lam, *sums)
