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
        outside = self.step * np.arange(1, BEYOND + 1)
        self.wide = np.concatenate([x[0] - outside[::-1], x, x[-1] + outside])
        self.log_slope = np.log(np.interp(self.wide, x, self.slope))

    def rise_at(self, x: float) -> float:
        """Return G(x)."""
        grid = self.shape.x
        before = min(x - grid[0], 0.0) * self.slope[0]
        behind = max(x - grid[-1], 0.0) * self.slope[-1]
        return float(np.interp(x, grid, self.rise) + before + behind)

    def departures(self, fraction: float, p: Floats, shifts: Floats, near: float) -> Floats:
        """Return x where a fraction of the envelope's slope is lost, (k,), nearest u = `near`; NaN where never.

        Args:
            fraction: f in H' = f G'.
            p: centred ln P, (k,).
            shifts: what the sizes' departures are displaced by, (k,).
            near: the u = x - gamma_2 p - shift that is meant where there are several.

        """
        x, log_least = self.wide, self.log_slope + np.log(fraction)
        found = np.full(len(p), np.nan)
        for k, (one, shift) in enumerate(zip(p, shifts, strict=True)):
            moved = self.theta[GAMMA_2] * one + shift
            excess = np.log(np.interp(x - moved, self.shape.u, self.away)) - log_least
            rises = np.flatnonzero((excess[:-1] < 0) & (excess[1:] >= 0))
            if len(rises):
                i = rises[np.abs(x[rises] - moved - near).argmin()]
                found[k] = x[i] + self.step * excess[i] / (excess[i] - excess[i + 1])
        return found

    def exponents(self, fraction: float, near: float) -> Floats:
        """Return gamma_0, gamma_1, gamma_2, gamma_pred, the bend ln(G'(last)/G'(first departure)), (5,)."""
        runs, gamma_0 = self.runs, self.theta[GAMMA_0]
        first, last = self.departures(fraction, runs.p_of_sizes[[0, -1]], np.zeros(2), near)
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


def reference(fit: Fit, theta: Floats) -> tuple[tuple[float, ...], Floats]:
    """Return the fractions that all sizes reach, and u = x - gamma_2 p of the departure for each of them.

    A slope that is not monotone crosses the envelope's more than once: the crossing meant is that of the
    largest size nearest u_0 for the first fraction, and the one nearest the last found for the others."""
    laws, ends = Laws(fit, theta), fit.runs.p_of_sizes[[-1, 0]]
    for factor in SMALLER:
        fractions = tuple(factor * f for f in FRACTIONS)
        near, found, all_reached = float(theta[U_0]), [], True
        for fraction in fractions:
            both = laws.departures(fraction, ends, np.zeros(2), near)
            all_reached &= bool(np.isfinite(both).all())
            near = float(both[0] - theta[GAMMA_2] * ends[0]) if np.isfinite(both[0]) else near
            found.append(near)
        if all_reached:
            break
    return fractions, np.array(found)


def by_fractions(fit: Fit, theta: Floats, fractions: tuple[float, ...], near: Floats) -> Floats:
    """Return `Laws.exponents` for each fraction, (f, 5), at the departures nearest `near` (f,)."""
    laws = Laws(fit, theta)
    return np.stack([laws.exponents(f, u) for f, u in zip(fractions, near, strict=True)])
