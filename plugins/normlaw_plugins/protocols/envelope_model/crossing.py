"""Where curves leave the envelope, and the exponents that follow from it, at one set of parameters.

Departure: a size leaves the envelope at the norm Lambda(P) where a fraction f of the envelope's slope is
lost, H' = f G' (f = 1 is the optimum, where the error is least). What is reported is the mean over
`FRACTIONS`, and their spread is part of the standard error: where the model is what the data say, the
choice of f does not matter.

The exponents are those of errors as they are measured, of which the link to the chance level leaves a part, see
`saturation`. Those behind the link would be of errors far below the chance level, which the study may not have:
how softly errors saturate and how steeply they fall behind the link trade against each other, and data hardly
choose.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from normlaw_plugins.protocols.envelope_model.fitting import Fit
from normlaw_plugins.protocols.envelope_model.runs import Floats
from normlaw_plugins.protocols.envelope_model.saturation import part_left
from normlaw_plugins.protocols.envelope_model.shape import GAMMA_0, GAMMA_2, U_0

FRACTIONS = (0.5, 0.6, 0.7)
SMALLER = (1.0, 0.7, 0.5, 0.3)
"""Where a departure never loses so much of the slope, all fractions are taken smaller by the first of these
factors at which every one is reached."""
BEYOND = 80
"""Cells of the grid by which departures may lie outside the norms measured."""
NAMES = ("gamma_0", "gamma_1", "gamma_2", "gamma_pred", "bend")


class Laws:
    """Envelope and departure of a fit's model at parameters (K,)."""

    def __init__(self, fit: Fit, theta: Floats) -> None:
        """Find both slopes; beyond the norms measured, the envelope goes on straight."""
        self.runs, self.shape, self.theta = fit.runs, fit.shape, theta
        self._ends = fit.ends
        x = self.shape.x
        self.slope = self.shape.envelope_slope(theta)  # G' on the grid x
        self.away = self.shape.departure_slope(theta)  # H' on the grid u
        self.step = x[1] - x[0]
        rise = np.cumsum((self.slope[1:] + self.slope[:-1]) * self.step / 2)
        self.rise = np.concatenate([[0.0], rise])  # G on the grid x
        self.wide = x[0] + self.step * np.arange(-BEYOND, len(x) + BEYOND)
        self.log_slope = np.log(np.pad(self.slope, BEYOND, mode="edge"))  # on the grid `wide`

    def rise_at(self, x: float) -> float:
        """Return G(x)."""
        grid = self.shape.x
        before = min(x - grid[0], 0.0) * self.slope[0]
        behind = max(x - grid[-1], 0.0) * self.slope[-1]
        return float(np.interp(x, grid, self.rise) + before + behind)

    @cached_property
    def ends(self) -> Departures:
        """The departures of the smallest and the largest size, without what is their own."""
        return Departures(self, self.runs.p_of_sizes[[0, -1]], np.zeros(2))

    def exponents(self, fraction: float, near: float) -> Floats:
        """Return gamma_0, gamma_1, gamma_2, gamma_pred, the bend ln(G'(last)/G'(first departure)), (5,)."""
        runs, gamma_0 = self.runs, self.theta[GAMMA_0]
        first, last = self.ends.at(fraction, near)
        fall = self.rise_at(last) - self.rise_at(first)
        at_last, at_first = np.interp([last, first], self.shape.x, self.slope)
        return np.array(
            [
                self.left * gamma_0,
                self.left * fall / (last - first) / runs.scale,
                (last - first) / runs.span * runs.scale,
                self.left * (gamma_0 + fall / runs.span),
                np.log(at_last / at_first),
            ]
        )

    @cached_property
    def left(self) -> float:
        """What part of an exponent behind the link is left in front of it."""
        return part_left(self._ends, self.theta)


class Departures:
    """Where curves of some sizes leave the envelope."""

    def __init__(self, laws: Laws, p: Floats, shifts: Floats) -> None:
        """Find what part of the envelope's slope is lost along the norms.

        Args:
            laws: the envelope and the departure.
            p: centred ln P, (k,).
            shifts: what the sizes' departures are displaced by, (k,).

        """
        self._x, self._step = laws.wide, laws.step
        self._moved = laws.theta[GAMMA_2] * p + shifts  # (k,)
        away = np.interp(laws.wide - self._moved[:, None], laws.shape.u, laws.away)
        self._lost = np.log(away) - laws.log_slope  # ln of the part, (k, n)

    def at(self, fraction: float, near: float) -> Floats:
        """Return x where a fraction of the envelope's slope is lost, (k,), nearest u = `near`; NaN where never.

        Args:
            fraction: f in H' = f G'.
            near: the u = x - gamma_2 p - shift that is meant where there are several.

        """
        excess = self._lost - np.log(fraction)
        rises = (excess[:, :-1] < 0) & (excess[:, 1:] >= 0)
        far = np.where(rises, np.abs(self._x[:-1] - self._moved[:, None] - near), np.inf)
        rows, cell = np.arange(len(far)), far.argmin(axis=1)
        before, behind = excess[rows, cell], excess[rows, cell + 1]
        part = np.divide(before, before - behind, out=np.full(len(far), np.nan), where=rises[rows, cell])
        return np.asarray(self._x[cell] + self._step * part)


def reference(fit: Fit, theta: Floats) -> tuple[tuple[float, ...], Floats]:
    """Return the fractions that all sizes reach, and u = x - gamma_2 p of the departure for each of them.

    A slope that is not monotone crosses the envelope's more than once: the crossing meant is that of the
    largest size nearest u_0 for the first fraction, and the one nearest the last found for the others."""
    ends, moved = Laws(fit, theta).ends, theta[GAMMA_2] * fit.runs.p_of_sizes[-1]
    for factor in SMALLER:
        fractions = tuple(factor * f for f in FRACTIONS)
        near, found, all_reached = float(theta[U_0]), [], True
        for fraction in fractions:
            smallest, largest = ends.at(fraction, near)
            all_reached &= bool(np.isfinite(smallest) and np.isfinite(largest))
            near = float(largest - moved) if np.isfinite(largest) else near
            found.append(near)
        if all_reached:
            break
    return fractions, np.array(found)


def by_fractions(fit: Fit, theta: Floats, fractions: tuple[float, ...], near: Floats) -> Floats:
    """Return `Laws.exponents` for each fraction, (f, 5), at the departures nearest `near` (f,)."""
    laws = Laws(fit, theta)
    return np.stack([laws.exponents(f, u) for f, u in zip(fractions, near, strict=True)])
