r"""Gaussian averages over the K + M fields of student and teacher, as functions of their covariance C.

Amplitudes A_w = -s for students and +tau for teachers, so that teacher - student = sum_w A_w g(field w).
Students come first. erf: the I3 and I4 of Saad and Solla 1995 (Phys. Rev. E 52, 4225).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
TWO_OVER_PI = 2.0 / np.pi


@dataclass(frozen=True)
class Averages:
    """W (K, K + M), X (K, K) of one covariance."""

    response: Array
    """W[i, w]: <delta_i v> = sum_w W[i, w] Cov(v, field w)."""
    noise: Array
    """X[i, j] = <delta_i delta_j>."""


def linear(covariance: Array, amplitudes: Array, students: int) -> Averages:
    """Return the averages for g(x) = x."""
    error = float(amplitudes @ covariance @ amplitudes)
    return Averages(np.tile(amplitudes, (students, 1)), np.full((students, students), error))


def erf(covariance: Array, amplitudes: Array, students: int) -> Averages:
    """Return the averages for g(x) = erf(x/sqrt(2))."""
    K, C = students, covariance
    one = 1.0 + np.diagonal(C)
    mixed = C[:K] ** 2
    lam = one[:K, None] * one - mixed  # (K, K + M)
    root = TWO_OVER_PI * amplitudes / np.sqrt(lam)
    response = root.copy()
    response[np.arange(K), np.arange(K)] -= np.sum(root * C[:K], axis=1) / one[:K]
    # I4(i, j, w, v): indices 1, 2 = students i, j; 3, 4 = any fields w, v
    L4 = lam[:, :K]  # (K, K)
    c1, c2 = C[:K, None, :], C[None, :K, :]  # Cov(i, w), Cov(j, w)
    o1, o2 = one[:K, None, None], one[None, :K, None]
    c12 = C[:K, :K, None]
    own = (
        L4[:, :, None] * one - c2**2 * o1 - c1**2 * o2 + 2.0 * c12 * c1 * c2
    )  # L1 as a function of w: (K, K, F)
    c13, c23, c14, c24 = c1[..., :, None], c2[..., :, None], c1[..., None, :], c2[..., None, :]
    L0 = L4[:, :, None, None] * C - c23 * c24 * o1[..., None] - c13 * c14 * o2[..., None]
    L0 = L0 + c12[..., None] * (c13 * c24 + c14 * c23)
    cosine = L0 / np.sqrt(own[..., :, None] * own[..., None, :])
    angle = np.arcsin(np.minimum(np.maximum(cosine, -1.0), 1.0))
    noise = (4.0 / np.pi**2) / np.sqrt(L4) * ((angle @ amplitudes) @ amplitudes)
    return Averages(response, noise)


def error_linear(covariance: Array, amplitudes: Array) -> float:
    """Return eps for g(x) = x."""
    return 0.5 * float(amplitudes @ covariance @ amplitudes)


def error_erf(covariance: Array, amplitudes: Array) -> float:
    """Return eps for g(x) = erf(x/sqrt(2)), by <g g'> = (2/pi) asin(C_vw/sqrt((1 + C_vv)(1 + C_ww)))."""
    root = np.sqrt(1.0 + np.diagonal(covariance))
    cosine = np.clip(covariance / np.outer(root, root), -1.0, 1.0)
    return float(amplitudes @ np.arcsin(cosine) @ amplitudes) / np.pi


AVERAGES = {"erf": erf, "linear": linear}
ERRORS = {"erf": error_erf, "linear": error_linear}
