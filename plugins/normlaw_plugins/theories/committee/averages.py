r"""Gaussian averages over the K + M fields of student and teacher, as functions of their covariance C.

Amplitudes A_w = -s for students and +tau for teachers, so that teacher - student = sum_w A_w g(field w).
Students come first. erf: the I3 and I4 of Saad and Solla 1995 (Phys. Rev. E 52, 4225).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


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
    from normlaw_plugins.theories.committee.compiled import (
        compiled,
        erf_averages,
    )  # numba: only where it is used

    response, noise = np.empty((students, len(covariance))), np.empty((students, students))
    compiled(erf_averages)(covariance, amplitudes, students, response, noise)
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
