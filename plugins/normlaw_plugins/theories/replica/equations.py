"""The two saddle-point equations and their derivatives, for a batch of problems at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from normlaw_plugins.theories.replica.losses import Array, MarginLoss
from normlaw_plugins.theories.replica.quadrature import NODES, TAIL, panels

SQRT_2PI = float(np.sqrt(2.0 * np.pi))


@dataclass(frozen=True)
class Equations:
    """Residuals of the logarithms of (1) and (2), and their derivatives, for n problems."""

    residual: Array
    """Shape (n, 2)."""
    jacobian: Array
    """By x = ln(lambda chi) and phi = ln tan(theta), shape (n, 2, 2)."""
    by_log_norm: Array
    """By ln(lambda) at fixed x and phi, shape (n, 2)."""


def evaluate(
    loss: MarginLoss, alpha: Array, norm: Array, x: Array, phi: Array, nodes: int = NODES
) -> Equations:
    """Evaluate both equations.

    Args:
        loss: its proximal map.
        alpha: loads, shape (n,).
        norm: norms lambda, shape (n,).
        x: ln(lambda chi), shape (n,).
        phi: ln tan(theta), shape (n,).
        nodes: Gauss-Legendre nodes a panel.

    """
    s, R, q = sine(phi), sine(-phi), np.exp(phi)
    t, weight = margins(loss, norm, x, s, nodes)  # both (n, m)
    shift = loss.shift(norm[:, None] * t, x[:, None])
    D = shift.value / norm[:, None]
    D_x = shift.by_log_c / norm[:, None]
    D_t = shift.by_tau

    ratio = t / q[:, None]
    prior = weight * np.exp(-0.5 * t * t) / SQRT_2PI
    doubt = prior * np.exp(-0.5 * ratio * ratio) / SQRT_2PI  # Dt G(t/q)
    prior_and_label = 2.0 * prior * ndtr(ratio)  # Dt 2H(-t/q)
    narrow = doubt * SQRT_2PI / s[:, None]  # Du, since 1 + 1/q^2 = 1/s^2

    A = total(prior_and_label * D * D)
    A_x = 2.0 * total(prior_and_label * D * D_x)
    A_phi = -2.0 * total(doubt * ratio * D * D)
    A_norm = 2.0 * total(prior_and_label * D * (t * D_t - D))
    B = total(narrow * D)
    B_x = total(narrow * D_x)
    B_phi = R * R * total(narrow * t * D_t)
    B_norm = total(narrow * (t * D_t - D))
    return Equations(
        residual=np.stack(
            [np.log(alpha * A) - 2.0 * np.log(s), np.log(alpha * np.sqrt(2.0 / np.pi) * B) - np.log(R)], axis=1
        ),
        jacobian=np.stack(
            [
                np.stack([A_x / A, A_phi / A - 2.0 * R * R], axis=1),
                np.stack([B_x / B, B_phi / B + s * s], axis=1),
            ],
            axis=1,
        ),
        by_log_norm=np.stack([A_norm / A, B_norm / B], axis=1),
    )


def margins(loss: MarginLoss, norm: Array, x: Array, s: Array, nodes: int) -> tuple[Array, Array]:
    """Return nodes and weights, both (n, m), over the cavity margins t that matter.

    Below -TAIL s the label's weight 2H(-t/q) e^(-t^2/2) is that of a Gaussian of width s, and so is (2)'s.
    """
    corners = [corner / norm for corner in loss.corners(x)]
    width = np.full_like(norm, loss.width) / norm
    last = corners[-1] + loss.decay / norm if corners else np.full_like(norm, np.inf)
    end = np.maximum(np.minimum(TAIL, last), 0.0)
    one = np.ones_like(norm)
    scales = [(0.0 * one, s), (0.0 * one, one)]
    return panels(-TAIL * s, end, [*scales, *((corner, width) for corner in corners)], nodes)


def sine(phi: Array) -> Array:
    """Return sin(arctan(e^phi)), to full relative precision; the cosine is sine(-phi)."""
    return np.asarray(1.0 / np.sqrt(1.0 + np.exp(-2.0 * phi)))


def total(values: Array) -> Array:
    """Sum over the nodes: (n, m) -> (n,)."""
    return np.asarray(values.sum(axis=1))
