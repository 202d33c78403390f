"""The inner loops of an integration, compiled: on a handful of numbers most time would go into numpy's calls.

Compiled at the first call, and kept on disk where a folder can be written to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import asin, pi, sqrt
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def erf_averages(C: Array, A: Array, K: int, response: Array, noise: Array) -> None:
    """Write W (K, F) and X (K, K) of erf units: the I3 and I4 of Saad and Solla 1995 (Phys. Rev. E 52, 4225).

    Args:
        C: covariance of the F fields, shape (F, F).
        A: their amplitudes, shape (F,).
        K: number of students, which come first.
        response: W, written.
        noise: X, written.

    """
    F = len(C)
    for i in range(K):
        pull = 0.0
        for w in range(F):
            response[i, w] = 2.0 / pi * A[w] / sqrt((1.0 + C[i, i]) * (1.0 + C[w, w]) - C[i, w] ** 2)
            pull += response[i, w] * C[i, w]
        response[i, i] -= pull / (1.0 + C[i, i])
    roots = np.empty(F)
    for i in range(K):
        for j in range(i, K):
            oi, oj, cij = 1.0 + C[i, i], 1.0 + C[j, j], C[i, j]
            L4 = oi * oj - cij * cij
            for w in range(F):  # L1 = L0(w, w) + L4
                L0 = L4 * C[w, w] - C[j, w] ** 2 * oi - C[i, w] ** 2 * oj + 2.0 * cij * C[i, w] * C[j, w]
                roots[w] = sqrt(L0 + L4)
            total = 0.0
            for w in range(F):
                for v in range(w + 1):
                    L0 = L4 * C[w, v] - C[j, w] * C[j, v] * oi - C[i, w] * C[i, v] * oj
                    L0 += cij * (C[i, w] * C[j, v] + C[i, v] * C[j, w])
                    angle = A[w] * A[v] * asin(min(max(L0 / (roots[w] * roots[v]), -1.0), 1.0))
                    total += angle if v == w else 2.0 * angle
            noise[i, j] = noise[j, i] = 4.0 / (pi * pi) / sqrt(L4) * total


def slope(  # noqa: C901  # a compiled kernel
    y: Array, T: Array, response: Array, noise: Array, rate: Array, diffusion: Array
) -> Array:
    """Return dy/dalpha, shape (L, K, M + K), of the state y = (R_e | Q_e) where W and X are known.

    Args:
        y: the state, shape (L, K, M + K).
        T: overlaps of the teachers, shape (L, M, M).
        response: W, shape (K, K + M).
        noise: X, shape (K, K).
        rate: eta s lam_e, shape (L,).
        diffusion: eta^2 s^2 lam_e f_e, shape (L,).

    """
    L, K, M = len(y), y.shape[1], T.shape[1]
    result = np.empty((L, K, M + K))
    pulled = np.empty((K, K))
    for e in range(L):
        for i in range(K):
            for n in range(M):
                total = 0.0
                for k in range(K):
                    total += response[i, k] * y[e, k, n]
                for m in range(M):
                    total += response[i, K + m] * T[e, m, n]
                result[e, i, n] = rate[e] * total
            for j in range(K):
                total = 0.0
                for k in range(K):
                    total += response[i, k] * y[e, k, M + j]
                for m in range(M):
                    total += response[i, K + m] * y[e, j, m]
                pulled[i, j] = total
        for i in range(K):
            for j in range(K):
                result[e, i, M + j] = rate[e] * (pulled[i, j] + pulled[j, i]) + diffusion[e] * noise[i, j]
    return result


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of this module compiled; infinities and NaN keep their meaning."""
    try:
        return numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # neither this file's folder nor the user's own cache can be written to
        return numba.njit(error_model="numpy")(function)
