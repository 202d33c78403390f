"""The symmetric plateau of erf networks and the escape from it, for vanishing learning rate, K = M, T1 = 1.

Every student then has the same overlap R1 with every teacher and the same Q1 with every student, whatever the
spectrum: Saad and Solla 1995, sec. IV, for isotropic inputs; with a power law after Worschech and Rosenow 2024
(arXiv 2410.09005), where the rate alone knows of the spectrum, by its second moment.
"""

from __future__ import annotations

from math import asin, pi, sqrt

import numpy as np

from normlaw_plugins.theories.committee.averages import Array


def plateau_overlaps(K: int) -> tuple[float, float]:
    """Return (R1, Q1) of the symmetric plateau."""
    return 1.0 / sqrt(K * (2.0 * K - 1.0)), 1.0 / (2.0 * K - 1.0)


def plateau_error(K: int) -> float:
    """Return eps on the symmetric plateau, (pi/6 - K asin(1/(2K)))/pi; 0 for K = 1, which has none."""
    return (pi / 6.0 - K * asin(1.0 / (2.0 * K))) / pi


def escape_rate(K: int, eta: float, eigenvalues: Array, fractions: Array) -> float:
    """Return the rate, per unit of alpha, at which the students' asymmetry grows on the plateau."""
    second_moment = float(np.sum(fractions * eigenvalues**2))
    return float(2.0 * eta / pi * second_moment / ((2.0 * K + 1.0) ** 1.5 * (2.0 * K - 1.0) ** 0.5))
