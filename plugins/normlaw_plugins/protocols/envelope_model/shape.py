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

from normlaw_plugins.protocols.envelope_model.runs import RANGE, Floats, Runs

LEVEL, GAMMA_0, LOG_GAMMA_1, LOG_Q, X_1, LOG_A, LOG_RATIO, U_0, GAMMA_2, CEILING, LOG_SHARPNESS, DEPTH = range(
    12
)
"""Places of the named parameters; LOG_RATIO is ln(m/a). Behind them: corrections of G, of H, b_P, s_P."""
NAMED = 12
KNOTS_G, KNOTS_H = 13, 20
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
    """-d fitted / d s_P: the departure's slope behind the link, (R, n)."""
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
        self.at_x = _locate(runs.x, self.x)

    def for_runs(self, runs: Runs) -> Shape:
        """Return the same model of other runs of the same study, on the same grids."""
        other = object.__new__(Shape)
        other.__dict__.update(self.__dict__, runs=runs, at_x=_locate(runs.x, self.x))
        return other

    def with_length(self, length: float) -> Shape:
        """Return the same model with another correlation length of the corrections, in units of x."""
        other = object.__new__(Shape)
        bases = _matern_basis(self.x, KNOTS_G, length), _matern_basis(self.u, KNOTS_H, length)
        other.__dict__.update(self.__dict__, basis_g=bases[0], basis_h=bases[1])
        return other

    def envelope_slope(self, theta: Floats) -> Floats:
        """Return G' on the grid `x`, (FINE_G,)."""
        return self._envelope(theta).value

    def departure_slope(self, theta: Floats) -> Floats:
        """Return H' on the grid `u`, (FINE_H,)."""
        return self._departure(theta).value

    def _envelope(self, theta: Floats) -> _Slope:
        return _Slope(self.x, theta[LOG_GAMMA_1], theta[LOG_Q], theta[X_1], self.basis_g, theta[self.g], False)

    def _departure(self, theta: Floats) -> _Slope:
        log_m = theta[LOG_A] + theta[LOG_RATIO]
        return _Slope(self.u, theta[LOG_A], log_m, theta[U_0], self.basis_h, theta[self.h], True)

    def __call__(self, theta: Floats, run_shifts: Floats | float = 0.0, derivatives: bool = True) -> Mean:
        """Return the mean; `run_shifts` (R,) are the runs' own displacements of the departure."""
        runs = self.runs
        slopes_g, slopes_h = self._envelope(theta), self._departure(theta)
        slope_g, slope_h = slopes_g.value, slopes_h.value
        step_g, step_h = self.x[1] - self.x[0], self.u[1] - self.u[0]
        # What H has risen to where the grid begins: the tail there is a pure power, so its integral is H'/m.
        rate = np.exp(theta[LOG_A] + theta[LOG_RATIO])
        tail = slope_h[0] / rate
        u = runs.x - (theta[GAMMA_2] * runs.p + theta[self.shifts][runs.size_of] + run_shifts)[:, None]
        at_x, at_u = self.at_x, _locate(u, self.u)
        envelope = _integral_at(_integral(slope_g, step_g), slope_g, at_x, step_g)  # (R, n)
        departure = _integral_at(_integral(slope_h, step_h) + tail, slope_h, at_u, step_h)  # (R, n)
        eta = theta[LEVEL] - theta[GAMMA_0] * runs.p[:, None] - envelope + departure
        eta = eta + theta[self.offsets][runs.size_of][:, None]
        gone = 1 / (1 + np.exp(-np.clip(rate * (u - theta[U_0]), -500.0, 500.0)))  # 0 before, 1 behind
        depth = theta[DEPTH] * runs.p[:, None]
        eta = eta + depth * gone
        by_u = depth * rate * gone * (1 - gone)
        fitted, link = linked(eta, theta)
        shift_slope = (np.interp(u, self.u, slope_h) + by_u) * link
        if not derivatives:
            return Mean(fitted, shift_slope, link, np.empty((0, 0, 0)))
        jacobian = np.zeros((*runs.x.shape, self.count))
        by_g, by_h = slopes_g.derivatives(), slopes_h.derivatives()
        by_h[:, 0] += by_h[:, 1]  # LOG_A is in height and rate
        g = _integral_at(_integral(by_g, step_g), by_g, at_x, step_g)  # (R, n, 3 + KNOTS_G)
        begin = by_h[0] / rate
        begin[:2] -= tail
        h = _integral_at(_integral(by_h, step_h) + begin, by_h, at_u, step_h)  # (R, n, 3 + KNOTS_H)
        jacobian[..., LEVEL] = 1.0
        jacobian[..., GAMMA_0] = -runs.p[:, None]
        jacobian[..., LOG_GAMMA_1 : X_1 + 1], jacobian[..., self.g] = -g[..., :3], -g[..., 3:]
        jacobian[..., LOG_A : U_0 + 1], jacobian[..., self.h] = h[..., :3], h[..., 3:]
        by_log_rate = by_u * (u - theta[U_0])
        jacobian[..., LOG_A] += by_log_rate
        jacobian[..., LOG_RATIO] += by_log_rate
        jacobian[..., U_0] -= by_u
        jacobian[..., DEPTH] = runs.p[:, None] * gone
        rows = np.arange(len(runs.x))
        jacobian[rows, :, self.offsets.start + runs.size_of] = 1.0
        jacobian *= link[..., None]
        jacobian[..., GAMMA_2] = -runs.p[:, None] * shift_slope
        jacobian[rows, :, self.shifts.start + runs.size_of] = -shift_slope
        jacobian[..., CEILING] = 1 - link
        jacobian[..., LOG_SHARPNESS] = eta - fitted - (eta - theta[CEILING]) * (1 - link)
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
        self.t = np.clip(self.rate * (at - middle), -500.0, 500.0)
        self.whole = basis @ z  # the correction before it fades
        self.window = 1 / (1 + np.exp(np.clip(-self.t - FADE, -500.0, 500.0))) if fades else None
        correction = self.whole if self.window is None else self.window * self.whole
        height = np.exp(np.clip(log_height - np.logaddexp(0.0, -self.t) + correction, -500.0, 12.0))
        self.value: Floats = np.asarray(height)

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
    """Return what turns independent variables into a Matern-3/2 process, linear between knots, (F, knots)."""
    places = np.linspace(at[0], at[-1], knots)
    distance = np.sqrt(3.0) * np.abs(places[:, None] - places) / length
    covariance = (1 + distance) * np.exp(-distance)
    index, w = _locate(at, places)
    hats = np.zeros((len(at), knots))
    rows = np.arange(len(at))
    hats[rows, index] = 1 - w
    hats[rows, index + 1] += w
    return np.asarray(hats @ np.linalg.cholesky(covariance + 1e-8 * np.eye(knots)))


def _locate(at: Floats, grid: Floats) -> tuple[np.ndarray, Floats]:
    """Return the cell of an even grid that each value lies in, and where in it; outside, w leaves [0, 1]."""
    t = (at - grid[0]) / (grid[1] - grid[0])
    index = np.clip(np.floor(t).astype(np.int64), 0, len(grid) - 2)
    return index, t - index


def _integral(value: Floats, step: float) -> Floats:
    """Return the integral from the grid's begin, by trapezoids, along the first axis."""
    cells = np.cumsum((value[1:] + value[:-1]) * (step / 2), axis=0)
    return np.concatenate([np.zeros_like(value[:1]), cells])


def _integral_at(integral: Floats, value: Floats, place: tuple[np.ndarray, Floats], step: float) -> Floats:
    """Return the integral of the piecewise linear `value`: exactly, so that its derivative is `value` itself.

    Outside the grid `value` goes on as it is at the edge.
    """
    index, w = place
    inside = np.clip(w, 0.0, 1.0)
    half = inside * inside / 2
    begin, end = step * (inside - half + np.minimum(w, 0.0)), step * (half + np.maximum(w - 1, 0.0))
    if value.ndim > 1:
        begin, end = begin[..., None], end[..., None]
    out = integral[index]
    out += begin * value[index]
    out += end * value[index + 1]
    return np.asarray(out)
