"""The model's mean at one set of parameters, and its derivatives, found when they are asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from normlaw_plugins.protocols.envelope_model.grid import Cells, integrated
from normlaw_plugins.protocols.envelope_model.parameters import (
    CEILING,
    DEPTH,
    GAMMA_0,
    GAMMA_2,
    LEVEL,
    LOG_A,
    LOG_GAMMA_1,
    LOG_RATIO,
    LOG_SHARPNESS,
    OF_LAWS,
    U_0,
    X_1,
)
from normlaw_plugins.protocols.envelope_model.runs import Floats

if TYPE_CHECKING:
    from normlaw_plugins.protocols.envelope_model.shape import Shape

TINY = float(np.finfo(np.float64).tiny)
"""Slope of a link that is saturated wholly."""


class Mean:
    """Ln eps of all points of all runs; see `shape` for the formulas and the names."""

    def __init__(self, shape: Shape, theta: Floats, run_shifts: Floats | float) -> None:
        """Find the curves themselves, at parameters (K,) and the runs' own displacements (R,)."""
        self._shape, self._p = shape, shape.runs.p[:, None]
        runs, self._g, self._h = shape.runs, shape.envelope(theta), shape.departure(theta)
        self._rate = np.exp(theta[LOG_A] + theta[LOG_RATIO])
        # What H has risen to where the grid begins: the tail there is a pure power, so its integral is H'/m.
        self._tail = self._h.slope[0] / self._rate
        displaced = theta[GAMMA_2] * runs.p + theta[shape.shifts][runs.size_of] + run_shifts  # (R,)
        u = runs.x - displaced[:, None]  # (R, n)
        self._at_u, self._past = Cells(u, shape.u), u - theta[U_0]
        of_run = theta[LEVEL] + self._tail - theta[GAMMA_0] * runs.p + theta[shape.offsets][runs.size_of]
        self._eta = of_run[:, None] - shape.at_x.integral(self._g.slope, self._g.value)  # (R, n)
        self._eta += self._at_u.integral(self._h.slope, self._h.value)
        self._gone = expit(self._rate * self._past)  # 0 before the departure, 1 behind
        self._depth = theta[DEPTH] * self._p  # (R, 1)
        self._eta += self._depth * self._gone
        self._sharpness, self._above = np.exp(theta[LOG_SHARPNESS]), self._eta - theta[CEILING]
        excess = np.logaddexp(0.0, self._sharpness * self._above)
        self.fitted: Floats = np.asarray(self._eta - excess / self._sharpness)
        """Ln eps, (R, n)."""
        self.link: Floats = np.asarray(np.exp(-excess))
        """d fitted / d eta, (R, n)."""

    @cached_property
    def _goes(self) -> Floats:
        """d gone / d (m (u - u_0)), (R, n)."""
        return np.asarray(self._gone * (1 - self._gone))

    @cached_property
    def _deepens(self) -> Floats:
        """What of eta's derivative by u is that of the depth, (R, n)."""
        return np.asarray(self._depth * self._rate * self._goes)

    @cached_property
    def shift_slope(self) -> Floats:
        """-d fitted / d s_P: the departure's slope behind the link, (R, n)."""
        return np.asarray((self._at_u.value(self._h.slope) + self._deepens) * self.link)

    @cached_property
    def jacobian(self) -> Floats:
        """d fitted / d parameters, (R, n, K); 0 where nothing was measured."""
        shape, link, p = self._shape, self.link, self._p
        by_g, by_h = self._g.derivatives, self._h.derivatives.copy()
        by_h[:, 0] += by_h[:, 1]  # LOG_A is in height and rate
        begin = by_h[0] / self._rate
        begin[:2] -= self._tail
        of_g = shape.at_x.integral(by_g, integrated(by_g, shape.x))  # (R, n, 3 + KNOTS_G)
        of_h = self._at_u.integral(by_h, integrated(by_h, shape.u, begin))  # (R, n, 3 + KNOTS_H)
        by_log_rate = self._deepens * self._past
        of_h[..., 0] += by_log_rate
        of_h[..., 1] += by_log_rate
        of_h[..., 2] -= self._deepens
        of_g *= -link[..., None]
        of_h *= link[..., None]
        rows, size_of = np.arange(len(link)), shape.runs.size_of
        jacobian = np.zeros((*link.shape, shape.count))
        jacobian[..., LEVEL] = link
        jacobian[..., GAMMA_0] = -p * link
        jacobian[..., LOG_GAMMA_1 : X_1 + 1], jacobian[..., shape.g] = of_g[..., :3], of_g[..., 3:]
        jacobian[..., LOG_A : U_0 + 1], jacobian[..., shape.h] = of_h[..., :3], of_h[..., 3:]
        jacobian[..., GAMMA_2] = -p * self.shift_slope
        jacobian[..., CEILING] = 1 - link
        jacobian[..., LOG_SHARPNESS] = self._eta - self.fitted - self._above * (1 - link)
        jacobian[..., DEPTH] = p * self._gone * link
        jacobian[rows, :, shape.offsets.start + size_of] = link
        jacobian[rows, :, shape.shifts.start + size_of] = -self.shift_slope
        jacobian[~shape.runs.mask] = 0.0
        return jacobian

    def bend(self, weights: Floats) -> Floats:
        """Return what a weighted sum of the derivatives changes by with each parameter, (K,).

        It goes through `jacobian` and what that is made of from the end to the begin (reverse differentiation).

        Args:
            weights: of the derivatives by the parameters that are not the laws', (R, n, K - OF_LAWS).

        """
        shape, jacobian = self._shape, self.jacobian
        of_ceiling, of_sharpness = weights[..., CEILING - OF_LAWS], weights[..., LOG_SHARPNESS - OF_LAWS]
        # by the link's slope, which all derivatives that go through eta are multiplied by
        through = np.einsum("rnk,rnk->rn", weights[..., 2:], jacobian[..., OF_LAWS + 2 :])
        by_link = through / np.maximum(self.link, TINY) - of_ceiling + of_sharpness * self._above
        by_link *= -self._sharpness * (1 - self.link)
        bend = np.einsum("rnk,rn->k", jacobian, by_link)
        by_eta = by_link * self.link
        bend[CEILING] = -by_eta.sum()
        bend[LOG_SHARPNESS] = np.vdot(by_eta, self._above) - np.vdot(of_sharpness, jacobian[..., LOG_SHARPNESS])
        # by the slopes on their grids
        of_eta = weights * self.link[..., None]
        of_g, of_h, of_depth = (
            of_eta[..., shape.g.start - OF_LAWS : shape.g.stop - OF_LAWS],
            of_eta[..., shape.h.start - OF_LAWS : shape.h.stop - OF_LAWS],
            of_eta[..., DEPTH - OF_LAWS] * self._p,
        )
        rows, size_of = np.arange(len(self.link)), shape.runs.size_of
        of_slope = -of_eta[rows, :, shape.shifts.start - OF_LAWS + size_of]  # of H' at u and of `_deepens`
        bend[shape.of_g] -= self._g.bend(shape.at_x.integral_back(of_g))
        begin = of_h.sum(axis=(0, 1)) / self._rate  # (KNOTS_H,)
        on_grid = self._at_u.integral_back(of_h)
        on_grid[0] += begin
        by_h = self._h.bend(on_grid) + self._at_u.value_back(of_slope) @ self._h.derivatives
        # by where the departure is, and by its rate, which is in more than its slope
        goes = self._goes * (of_depth + of_slope * self._depth * self._rate * (1 - 2 * self._gone))
        by_h[1] += self._rate * np.vdot(goes, self._past) + np.vdot(of_slope, self._deepens)
        by_h[1] -= begin @ self._h.derivatives[0, 3:]
        by_h[2] -= self._rate * goes.sum()
        by_h[0] += by_h[1]  # LOG_A is in height and rate
        bend[shape.of_h] += by_h
        bend[DEPTH] += self._rate * np.vdot(of_slope, self._p * self._goes)
        by_u = np.einsum("rnk,rnk->rn", of_h, self._at_u.value(self._h.derivatives[:, 3:]))
        by_u += of_slope * self._at_u.steepness(self._h.slope) + self._rate * goes
        bend[GAMMA_2] -= np.vdot(by_u, np.broadcast_to(self._p, by_u.shape))
        bend[shape.shifts] -= np.bincount(size_of, by_u.sum(axis=1), len(shape.runs.sizes))
        return np.asarray(bend)
