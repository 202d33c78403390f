"""The spectrum of the inputs and the overlaps that training starts from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Literal

import numpy as np

from normlaw_plugins.theories.committee.averages import Array

Activation = Literal["erf", "linear"]


@dataclass(frozen=True)
class Model:
    """What is trained on what."""

    K: int
    """Hidden units of the student."""
    M: int
    """Hidden units of the teacher."""
    eigenvalues: Array
    """lam_e, shape (L,)."""
    fractions: Array
    """f_e: which part of the dimensions each is on, shape (L,)."""
    eta: float
    """Learning rate."""
    activation: Activation = "erf"

    @property
    def s(self) -> float:
        """Factor of the student's output, sqrt(M)/K."""
        return sqrt(self.M) / self.K

    @property
    def tau(self) -> float:
        """Factor of the teacher's output, 1/sqrt(M)."""
        return 1.0 / sqrt(self.M)

    @property
    def amplitudes(self) -> Array:
        """A_w: -s for the K students, tau for the M teachers."""
        return np.concatenate([np.full(self.K, -self.s), np.full(self.M, self.tau)])


@dataclass(frozen=True)
class Overlaps:
    """Order parameters of every eigenspace."""

    R: Array
    """J P_e B^T/N, shape (L, K, M)."""
    Q: Array
    """J P_e J^T/N, shape (L, K, K)."""
    T: Array
    """B P_e B^T/N, shape (L, M, M)."""

    @property
    def weight_norm(self) -> float:
        """Return sqrt(sum_e tr Q_e) = |J|/sqrt(N)."""
        return float(np.sqrt(np.einsum("ekk->", self.Q)))

    def covariance(self, eigenvalues: Array) -> Array:
        """Return the covariance C of the fields, shape (K + M, K + M)."""
        R1 = np.tensordot(eigenvalues, self.R, 1)
        Q1, T1 = np.tensordot(eigenvalues, self.Q, 1), np.tensordot(eigenvalues, self.T, 1)
        return np.block([[Q1, R1], [R1.T, T1]])


def power_law(L: int, beta: float) -> tuple[Array, Array]:
    """Return eigenvalues proportional to e^-(1 + beta), of mean 1, and their fractions; shape (L,) each."""
    lam = np.arange(1, L + 1, dtype=np.float64) ** -(1.0 + beta)
    return lam / lam.mean(), np.full(L, 1.0 / L)


def isotropic(model: Model, R: Array, Q: Array) -> Overlaps:
    """Return overlaps that are alike in all eigenspaces: R_e = f_e R, Q_e = f_e Q, T_e = f_e 1."""
    f = model.fractions[:, None, None]
    return Overlaps(f * R, f * Q, f * np.eye(model.M))


def drawn(model: Model, N: int, size: float, seed: int) -> Overlaps:
    """Return the overlaps of weights drawn at dimension N: B ~ N(0, 1), J ~ N(0, size^2), entry by entry."""
    rng = np.random.default_rng(seed)
    B, J = rng.standard_normal((model.M, N)), size * rng.standard_normal((model.K, N))
    return overlaps(J, B, len(model.eigenvalues))


def overlaps(J: Array, B: Array, L: int) -> Overlaps:
    """Return the overlaps of students J, (K, N), with teachers B, (M, N), in each of L eigenspaces.

    Dimensions are dealt to the eigenspaces in their order, as evenly as N allows.
    """
    N = J.shape[1]
    start = np.linspace(0, N, L + 1).round().astype(int)[:-1]
    parts = [(J[:, a:b], B[:, a:b]) for a, b in pairwise([*start, N])]
    R, Q, T = (np.stack(one) / N for one in zip(*((j @ b.T, j @ j.T, b @ b.T) for j, b in parts), strict=True))
    return Overlaps(R, Q, T)
