"""A linear classifier's examples: pull, loss and curvature at a weight vector, safe at any norm.

For examples with signed inputs a_i = y_i x_i and margins z_i = a_i.v the logistic loss L is the mean of
log(1 + e^(-2 z_i)). Its gradient is -2 mean s_i a_i with s_i = sigma(-2 z_i). At large norm all s_i underflow
float64 (e^-2000 at |v| = 1000 is common), so that everything here is relative to their mean S: the direction
of the gradient, the curvature and the path of training depend on the ratios s_i/S alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = Array | NDArray[np.float32]

NEGLIGIBLE = 1e-17
"""Weights this far below the largest are left out of the curvature."""


@dataclass(frozen=True)
class MarginState:
    """The examples as a weight vector v sees them."""

    margins: Array
    """z, (P,)."""
    shift: float
    """m = max(0, least margin): slopes are kept in units of e^(-2m)."""
    mean_slope: float
    """S e^(2m)."""
    pull: Array
    """-grad L / S = 2 sum s_i a_i / sum s_i, (N,)."""

    @cached_property
    def log_loss(self) -> float:
        """ln L."""
        z, m = self.margins, self.shift
        if m > 15.0:  # log(1 + e^(-2z)) = e^(-2z), to rounding
            return float(np.log(np.exp(-2.0 * (z - m)).mean()) - 2.0 * m)
        return float(np.log(np.logaddexp(0.0, -2.0 * z).mean()))


class SignedInputs:
    """The training examples of a binary linear classifier, as rows a_i = y_i x_i."""

    def __init__(self, rows: Rows) -> None:
        """Keep the rows, (P, N), contiguous, of the type that they are.

        All is computed in float64. Rows that were float32 are read in that type: many examples do not fit the
        cache, and reading them is what takes the time.
        """
        from normlaw.training.linear.one_pass import compiled_one_pass  # numba: only where it is used

        self.rows = rows if rows.flags.c_contiguous else rows.copy()
        self._one_pass = compiled_one_pass()

    def at(self, v: Array) -> MarginState:
        """Return the state at v, (N,), reading each example once."""
        z, gathered = np.empty(len(self.rows)), np.empty(len(v))
        shift, slopes = self._one_pass(self.rows, np.ascontiguousarray(v), z, gathered)
        return MarginState(margins=z, shift=shift, mean_slope=slopes / len(z), pull=gathered * (2.0 / slopes))

    def curvature(self, state: MarginState) -> Array:
        """Return the Hessian of L divided by S, (N, N)."""
        weight, rows = self._curving(state)
        rows *= 2.0 * np.sqrt(weight)[:, None]
        return np.asarray(rows.T @ rows)

    def curvature_and_slowing(self, state: MarginState) -> tuple[Array, Array]:
        """Return the Hessian of L divided by S, (N, N), and the gradient of ln S, (N,)."""
        weight, rows = self._curving(state)
        slower = -2.0 * (weight @ rows)
        rows *= 2.0 * np.sqrt(weight)[:, None]
        return rows.T @ rows, slower

    def _curving(self, state: MarginState) -> tuple[Array, Array]:
        """Return how much examples curve the loss, sigma(-2z) sigma(2z) / (P S), and their rows, to write into.

        What hardly counts is left out, (n,) and (n, N).
        """
        slope = scaled_slopes(state.margins, state.shift)
        curving = slope * (1.0 - slope * np.exp(-2.0 * state.shift))  # sigma(-2z) sigma(2z) e^(2m), (P,)
        weight = curving / (len(slope) * state.mean_slope)
        active = weight > NEGLIGIBLE * weight.max()
        chosen = self.rows if active.all() else self.rows[active]
        rows = self._room[: len(chosen)]
        np.copyto(rows, chosen)
        return weight[active], rows

    @cached_property
    def _room(self) -> Array:
        """Room for as many rows, (P, N): filling it again takes half as long as filling new memory."""
        return np.empty(self.rows.shape)


def scaled_slopes(z: Array, shift: float) -> Array:
    """Return sigma(-2z) e^(2 shift); a slope below float64's range is 0."""
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (np.exp(2.0 * (z - shift)) + np.exp(-2.0 * shift)))
