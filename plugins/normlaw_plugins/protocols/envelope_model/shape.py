"""The model's mean: chance level, envelope and departure, with its derivatives.

With x the scaled ln norm, p = ln P centred, and a link that saturates at the chance level,

    ln eps = link(eta),   eta = c - gamma_0 p - G(x) + H(x - gamma_2 p) + b_P
    link(eta) = eta - ln(1 + e^(n (eta - ceiling))) / n

G, the envelope, has the slope G' = gamma_1 e^(correction) / (1 + e^(-q (x - x_1))) > 0: a power law at
large norms. H, the departure, has H' = a e^(correction) / (1 + e^(-m (u - u_0))) > 0 with u = x - gamma_2 p
- s_P: a pure power (lambda/Lambda)^m where it begins (a correction to scaling), a straight line of slope a
where it ends; for m = a it is ln(1 + (lambda/Lambda)^a), the sum of two power laws. The corrections are
Gaussian processes; that of H fades out before the departure. b_P and s_P are what a train size has of its
own. Both slopes are positive by construction, so that G and H rise.

One parameter more, `DEPTH`, adds depth p / (1 + e^(-m (u - u_0))) to eta: departures that P moves and
changes too. It is 0 where the laws hold, and free only in the model that they are tested against.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from normlaw_plugins.protocols.envelope_model.grid import Cells, integrated
from normlaw_plugins.protocols.envelope_model.rise import Last, Rise
from normlaw_plugins.protocols.envelope_model.runs import RANGE, Floats, Runs

LEVEL, GAMMA_0, LOG_GAMMA_1, LOG_Q, X_1, LOG_A, LOG_RATIO, U_0, GAMMA_2, CEILING, LOG_SHARPNESS, DEPTH = range(
    12
)
"""Places of the named parameters; LOG_RATIO is ln(m/a). Behind them: corrections of G, of H, b_P, s_P."""
NAMED = 12
OF_LAWS = CEILING
"""So many parameters, the first, say what envelope and departure are; the next are the link's."""
KNOTS_G, KNOTS_H = 20, 40
LENGTH = 1.5
"""Correlation length of the corrections (Matern 3/2), in units of x: three twentieths of the norms measured."""
FINE_G, FINE_H = 161, 241
FADE = 1.5
"""The departure's correction is half there where m (u - u_0) = -FADE."""


@dataclass(frozen=True)
class Mean:
    """The model at one set of parameters."""

    fitted: Floats
    """Ln eps, (R, n)."""
    shift_slope: Floats
    """-d fitted / d s_P: the departure's slope behind the link, (R, n); empty like `jacobian`."""
    offset_slope: Floats
    """d fitted / d eta, (R, n)."""
    jacobian: Floats
    """d fitted / d parameters, (R, n, K); empty where it was not asked for."""


def linked(eta: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """Return ln eps and d ln eps / d eta, both of the shape of `eta`."""
    sharpness = np.exp(theta[LOG_SHARPNESS])
    excess = np.logaddexp(0.0, sharpness * (eta - theta[CEILING]))
    return np.asarray(eta - excess / sharpness), np.asarray(np.exp(-excess))


class Shape:
    """The mean as a function of parameters (K,), for fixed runs."""

    def __init__(self, runs: Runs, gamma_2_range: tuple[float, float]) -> None:
        """Place the grids; departures between the two gamma_2 (scaled) lie on them, others are extrapolated."""
        self.runs = runs
        self.x = np.linspace(0.0, RANGE, FINE_G)
        ends = np.concatenate([(runs.x - g * runs.p[:, None])[runs.mask] for g in gamma_2_range])
        self.u = np.linspace(ends.min(), ends.max(), FINE_H)
        self.basis_g = _matern_basis(self.x, KNOTS_G, LENGTH)  # (FINE_G, KNOTS_G)
        self.basis_h = _matern_basis(self.u, KNOTS_H, LENGTH)  # (FINE_H, KNOTS_H)
        sizes = len(runs.sizes)
        self.g = slice(NAMED, NAMED + KNOTS_G)
        self.h = slice(NAMED + KNOTS_G, NAMED + KNOTS_G + KNOTS_H)
        self.offsets = slice(self.h.stop, self.h.stop + sizes)
        self.shifts = slice(self.offsets.stop, self.offsets.stop + sizes)
        self.count = self.shifts.stop
        self.at_x = Cells(runs.x, self.x)
        self.of_g, self.of_h = np.r_[LOG_GAMMA_1 : X_1 + 1, self.g], np.r_[LOG_A : U_0 + 1, self.h]
        self.last_g, self.last_h = Last(), Last()

    def for_runs(self, runs: Runs) -> Shape:
        """Return the same model of other runs of the same study, on the same grids."""
        other = object.__new__(Shape)
        other.__dict__.update(self.__dict__, runs=runs, at_x=Cells(runs.x, self.x))
        return other

    def with_length(self, length: float) -> Shape:
        """Return the same model with another correlation length of the corrections, in units of x."""
        other = object.__new__(Shape)
        bases = _matern_basis(self.x, KNOTS_G, length), _matern_basis(self.u, KNOTS_H, length)
        other.__dict__.update(self.__dict__, basis_g=bases[0], basis_h=bases[1], last_g=Last(), last_h=Last())
        return other

    def envelope(self, theta: Floats) -> Rise:
        """Return G on the grid `x`."""
        return self.last_g.at(theta[self.of_g], lambda: Rise(self._envelope(theta), self.x))

    def departure(self, theta: Floats) -> Rise:
        """Return H on the grid `u`, less what it has risen to where that begins."""
        return self.last_h.at(theta[self.of_h], lambda: Rise(self._departure(theta), self.u))

    def _envelope(self, theta: Floats) -> _Slope:
        return _Slope(self.x, theta[LOG_GAMMA_1], theta[LOG_Q], theta[X_1], self.basis_g, theta[self.g], False)

    def _departure(self, theta: Floats) -> _Slope:
        log_m = theta[LOG_A] + theta[LOG_RATIO]
        return _Slope(self.u, theta[LOG_A], log_m, theta[U_0], self.basis_h, theta[self.h], True)

    def __call__(self, theta: Floats, run_shifts: Floats | float = 0.0, derivatives: bool = True) -> Mean:
        """Return the mean; `run_shifts` (R,) are the runs' own displacements of the departure."""
        runs, g, h = self.runs, self.envelope(theta), self.departure(theta)
        # What H has risen to where the grid begins: the tail there is a pure power, so its integral is H'/m.
        rate = np.exp(theta[LOG_A] + theta[LOG_RATIO])
        tail = h.slope[0] / rate
        u = runs.x - (theta[GAMMA_2] * runs.p + theta[self.shifts][runs.size_of] + run_shifts)[:, None]
        at_x, at_u = self.at_x, Cells(u, self.u)
        of_run = theta[LEVEL] + tail - theta[GAMMA_0] * runs.p + theta[self.offsets][runs.size_of]  # (R,)
        eta = of_run[:, None] - at_x.integral(g.slope, g.value) + at_u.integral(h.slope, h.value)  # (R, n)
        gone = expit(rate * (u - theta[U_0]))  # 0 before, 1 behind
        depth = theta[DEPTH] * runs.p[:, None]
        eta += depth * gone
        fitted, link = linked(eta, theta)
        if not derivatives:
            return Mean(fitted, np.empty((0, 0)), link, np.empty((0, 0, 0)))
        by_u = depth * rate * gone * (1 - gone)
        shift_slope = (at_u.value(h.slope) + by_u) * link
        by_g, by_h = g.derivatives(), h.derivatives()
        by_h[:, 0] += by_h[:, 1]  # LOG_A is in height and rate
        begin = by_h[0] / rate
        begin[:2] -= tail
        of_g = at_x.integral(by_g, integrated(by_g, self.x))  # (R, n, 3 + KNOTS_G)
        of_h = at_u.integral(by_h, integrated(by_h, self.u, begin))  # (R, n, 3 + KNOTS_H)
        by_log_rate = by_u * (u - theta[U_0])
        of_h[..., 0] += by_log_rate
        of_h[..., 1] += by_log_rate
        of_h[..., 2] -= by_u
        of_g *= -link[..., None]
        of_h *= link[..., None]
        p, rows = runs.p[:, None], np.arange(len(runs.x))
        jacobian = np.zeros((*runs.x.shape, self.count))
        jacobian[..., LEVEL] = link
        jacobian[..., GAMMA_0] = -p * link
        jacobian[..., LOG_GAMMA_1 : X_1 + 1], jacobian[..., self.g] = of_g[..., :3], of_g[..., 3:]
        jacobian[..., LOG_A : U_0 + 1], jacobian[..., self.h] = of_h[..., :3], of_h[..., 3:]
        jacobian[..., GAMMA_2] = -p * shift_slope
        jacobian[..., CEILING] = 1 - link
        jacobian[..., LOG_SHARPNESS] = eta - fitted - (eta - theta[CEILING]) * (1 - link)
        jacobian[..., DEPTH] = p * gone * link
        jacobian[rows, :, self.offsets.start + runs.size_of] = link
        jacobian[rows, :, self.shifts.start + runs.size_of] = -shift_slope
        jacobian[~runs.mask] = 0.0
        return Mean(fitted, shift_slope, link, jacobian)


class _Slope:
    """height e^(correction) / (1 + e^(-rate (at - middle))) on a grid (F,), and its derivatives."""

    def __init__(
        self,
        at: Floats,
        log_height: float,
        log_rate: float,
        middle: float,
        basis: Floats,
        z: Floats,
        fades: bool,
    ) -> None:
        """Find the values; the correction is `basis` (F, k) times `z` (k,), faded out where it `fades`."""
        self.basis = basis
        self.rate = np.exp(log_rate)
        self.t = np.minimum(np.maximum(self.rate * (at - middle), -500.0), 500.0)
        self.whole = basis @ z  # the correction before it fades
        self.window = 1 / (1 + np.exp(-self.t - FADE)) if fades else None
        correction = self.whole if self.window is None else self.window * self.whole
        log = log_height - np.logaddexp(0.0, -self.t) + correction
        self.value: Floats = np.asarray(np.exp(np.minimum(np.maximum(log, -500.0), 12.0)))

    def derivatives(self) -> Floats:
        """Return those by log height, log rate, middle and z, (F, 3 + k)."""
        towards = 1 / (1 + np.exp(self.t))  # d ln(value) / d t
        own = self.value
        if self.window is not None:
            towards += self.window * (1 - self.window) * self.whole
            own = own * self.window
        by = np.empty((len(self.t), 3 + self.basis.shape[1]))
        by[:, 0] = self.value
        by[:, 1] = self.t * towards * self.value
        by[:, 2] = -self.rate * towards * self.value
        np.multiply(self.basis, own[:, None], out=by[:, 3:])
        return by


def _matern_basis(at: Floats, knots: int, length: float) -> Floats:
    """Return what turns independent variables into a Matern-3/2 process given at knots, (F, knots).

    Between knots it is the process's mean given its values there (a predictive process: Banerjee et al. 2008,
    section 2.2), which hardly depends on how many knots there are once they lie closer than its length.
    """
    places = np.linspace(at[0], at[-1], knots)
    root = np.linalg.cholesky(_matern(places, places, length) + 1e-8 * np.eye(knots))
    return np.asarray(np.linalg.solve(root, _matern(places, at, length)).T)


def _matern(one: Floats, other: Floats, length: float) -> Floats:
    """Return the covariances of a Matern-3/2 process of variance 1 at two sets of places, (i, j)."""
    distance = np.sqrt(3.0) * np.abs(one[:, None] - other) / length
    return np.asarray((1 + distance) * np.exp(-distance))
