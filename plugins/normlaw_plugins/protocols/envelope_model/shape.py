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

import numpy as np

from normlaw_plugins.protocols.envelope_model.grid import Cells
from normlaw_plugins.protocols.envelope_model.last import Last
from normlaw_plugins.protocols.envelope_model.mean import Mean
from normlaw_plugins.protocols.envelope_model.parameters import (
    LOG_A,
    LOG_GAMMA_1,
    LOG_Q,
    LOG_RATIO,
    NAMED,
    U_0,
    X_1,
)
from normlaw_plugins.protocols.envelope_model.rise import Rise
from normlaw_plugins.protocols.envelope_model.runs import RANGE, Floats, Runs
from normlaw_plugins.protocols.envelope_model.smooth import matern_basis

KNOTS_G, KNOTS_H = 20, 40
LENGTH = 1.5
"""Correlation length of the corrections (Matern 3/2), in units of x: three twentieths of the norms measured."""
FINE_G, FINE_H = 161, 241


class Shape:
    """The mean as a function of parameters (K,), for fixed runs."""

    def __init__(self, runs: Runs, gamma_2_range: tuple[float, float]) -> None:
        """Place the grids; departures between the two gamma_2 (scaled) lie on them, others are extrapolated."""
        self.runs = runs
        self.x = np.linspace(0.0, RANGE, FINE_G)
        ends = np.concatenate([(runs.x - g * runs.p[:, None])[runs.mask] for g in gamma_2_range])
        self.u = np.linspace(ends.min(), ends.max(), FINE_H)
        self.basis_g = matern_basis(self.x, KNOTS_G, LENGTH)  # (FINE_G, KNOTS_G)
        self.basis_h = matern_basis(self.u, KNOTS_H, LENGTH)  # (FINE_H, KNOTS_H)
        sizes = len(runs.sizes)
        self.g = slice(NAMED, NAMED + KNOTS_G)
        self.h = slice(NAMED + KNOTS_G, NAMED + KNOTS_G + KNOTS_H)
        self.offsets = slice(self.h.stop, self.h.stop + sizes)
        self.shifts = slice(self.offsets.stop, self.offsets.stop + sizes)
        self.count = self.shifts.stop
        self.at_x = Cells(runs.x, self.x)
        self.of_g, self.of_h = np.r_[LOG_GAMMA_1 : X_1 + 1, self.g], np.r_[LOG_A : U_0 + 1, self.h]
        self.last_g, self.last_h, self.last = Last[Rise](), Last[Rise](), Last[Mean]()

    def for_runs(self, runs: Runs) -> Shape:
        """Return the same model of other runs of the same study, on the same grids."""
        other = object.__new__(Shape)
        other.__dict__.update(self.__dict__, runs=runs, at_x=Cells(runs.x, self.x), last=Last())
        return other

    def with_length(self, length: float) -> Shape:
        """Return the same model with another correlation length of the corrections, in units of x."""
        other = object.__new__(Shape)
        bases = matern_basis(self.x, KNOTS_G, length), matern_basis(self.u, KNOTS_H, length)
        other.__dict__.update(self.__dict__, basis_g=bases[0], basis_h=bases[1], last_g=Last(), last_h=Last())
        other.last = Last()
        return other

    def envelope(self, theta: Floats) -> Rise:
        """Return G on the grid `x`."""
        return self.last_g.at(theta[self.of_g], lambda: self._envelope(theta))

    def departure(self, theta: Floats) -> Rise:
        """Return H on the grid `u`, less what it has risen to where that begins."""
        return self.last_h.at(theta[self.of_h], lambda: self._departure(theta))

    def _envelope(self, theta: Floats) -> Rise:
        return Rise(self.x, theta[LOG_GAMMA_1], theta[LOG_Q], theta[X_1], self.basis_g, theta[self.g], False)

    def _departure(self, theta: Floats) -> Rise:
        log_m = theta[LOG_A] + theta[LOG_RATIO]
        return Rise(self.u, theta[LOG_A], log_m, theta[U_0], self.basis_h, theta[self.h], True)

    def __call__(self, theta: Floats, run_shifts: Floats | float = 0.0) -> Mean:
        """Return the mean; `run_shifts` (R,) are the runs' own displacements of the departure."""
        both = np.append(theta, run_shifts)
        return self.last.at(both, lambda: Mean(self, theta, run_shifts))
