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
from normlaw_plugins.protocols.envelope_model.parameters import GAMMA_0, GAMMA_2, U_0
from normlaw_plugins.protocols.envelope_model.runs import Floats
from normlaw_plugins.protocols.envelope_model.saturation import part_left

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
        x, g = self.shape.x, self.shape.envelope(theta)
        self.slope, self.rise = g.slope, g.value  # G' and G on the grid x
        self.away = self.shape.departure(theta).slope  # H' on the grid u
        self.step = x[1] - x[0]
        self.wide = x[0] + self.step * np.arange(-BEYOND, len(x) + BEYOND)
        inside, beyond = np.log(self.slope), np.ones(BEYOND)
        self.log_slope = np.concatenate([inside[0] * beyond, inside, inside[-1] * beyond])  # on the grid `wide`

    def rise_at(self, x: Floats) -> Floats:
        """Return G at norms of any shape."""
        grid = self.shape.x
        before = np.minimum(x - grid[0], 0.0) * self.slope[0]
        behind = np.maximum(x - grid[-1], 0.0) * self.slope[-1]
        return np.asarray(np.interp(x, grid, self.rise) + before + behind)

    @cached_property
    def ends(self) -> Departures:
        """The departures of the smallest and the largest size, without what is their own."""
        return Departures(self, self.runs.p_of_sizes[[0, -1]], np.zeros(2))

    def exponents(self, fractions: Floats, near: Floats) -> Floats:
        """Return gamma_0, gamma_1, gamma_2, gamma_pred, the bend ln(G'(last)/G'(first departure)), (f, 5)."""
        runs, gamma_0 = self.runs, self.theta[GAMMA_0]
        ends = self.ends.at(fractions, near)  # (f, 2)
        apart, fall = np.diff(ends)[:, 0], np.diff(self.rise_at(ends))[:, 0]
        slopes = np.interp(ends, self.shape.x, self.slope)
        found = np.empty((len(fractions), len(NAMES)))
        found[:, 0] = self.left * gamma_0
        unknown = np.full(len(fractions), np.nan)  # where departures do not move
        found[:, 1] = np.divide(self.left * fall, apart, out=unknown, where=apart != 0) / runs.scale
        found[:, 2] = apart / runs.span * runs.scale
        found[:, 3] = self.left * (gamma_0 + fall / runs.span)
        found[:, 4] = np.log(slopes[:, 1] / slopes[:, 0])
        return found

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

    def at(self, fractions: Floats, near: Floats) -> Floats:
        """Return x where fractions of the envelope's slope are lost, (f, k), nearest `near`; NaN where never.

        Args:
            fractions: each f in H' = f G', (f,).
            near: the u = x - gamma_2 p - shift that is meant where there are several, (f,).

        """
        excess = self._lost - np.log(fractions)[:, None, None]  # (f, k, n)
        rises = (excess[..., :-1] < 0) & (excess[..., 1:] >= 0)
        far = np.abs(self._x[:-1] - self._moved[:, None] - near[:, None, None])
        cell = np.where(rises, far, np.inf).argmin(axis=2)  # (f, k)
        which = (*np.ogrid[: cell.shape[0], : cell.shape[1]], cell)
        before, behind = excess[..., :-1][which], excess[..., 1:][which]
        part = np.divide(before, before - behind, out=np.full(cell.shape, np.nan), where=rises[which])
        return np.asarray(self._x[cell] + self._step * part)


def reference(fit: Fit, theta: Floats) -> tuple[Floats, Floats]:
    """Return the fractions that all sizes reach, (f,), and u = x - gamma_2 p of the departure for each, (f,).

    A slope that is not monotone crosses the envelope's more than once: the crossing meant is that of the
    largest size nearest u_0 for the first fraction, and the one nearest the last found for the others."""
    ends, moved = Laws(fit, theta).ends, theta[GAMMA_2] * fit.runs.p_of_sizes[-1]
    for factor in SMALLER:
        fractions = factor * np.array(FRACTIONS)
        near, found, all_reached = theta[U_0], [], True
        for fraction in fractions:
            smallest, largest = ends.at(np.array([fraction]), np.array([near]))[0]
            all_reached &= bool(np.isfinite(smallest) and np.isfinite(largest))
            near = largest - moved if np.isfinite(largest) else near
            found.append(near)
        if all_reached:
            break
    return fractions, np.array(found)


def by_fractions(fit: Fit, theta: Floats, fractions: Floats, near: Floats) -> Floats:
    """Return `Laws.exponents` for each fraction, (f, 5), at the departures nearest `near` (f,)."""
    return Laws(fit, theta).exponents(fractions, near)
