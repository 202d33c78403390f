"""The fitted model along chosen norms, with confidence limits: what is drawn and predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from normlaw_plugins.protocols.envelope_model.crossing import NAMES, Departures, Laws
from normlaw_plugins.protocols.envelope_model.endpoint import Endpoint
from normlaw_plugins.protocols.envelope_model.exponents import Exponents, derivatives
from normlaw_plugins.protocols.envelope_model.fitting import Fit
from normlaw_plugins.protocols.envelope_model.parameters import GAMMA_0, U_0
from normlaw_plugins.protocols.envelope_model.runs import Floats
from normlaw_plugins.protocols.envelope_model.shape import Shape

DRAWN = 60
"""Norms at which curves are given."""
LEAST = float(np.finfo(np.float64).tiny)
"""Slopes that are smaller, where errors saturate wholly, count as this."""
NO_DEPARTURE = 1e6
"""A departure beyond all norms; a small one would leave a constant, what H has risen to where it begins."""


@dataclass(frozen=True)
class Drawing:
    """A fit, its exponents and its endpoint law, with the factor that makes limits of standard errors."""

    fit: Fit
    exponents: Exponents
    endpoint: Endpoint
    reach: float

    def log_norm(self, x: Floats) -> Floats:
        """Return ln norm of scaled norms, any shape."""
        return x * self.fit.runs.scale + self.fit.runs.shift

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return `curves_fitted`, `envelope`, `local_exponent`, `departures` and `endpoints`."""
        return {
            "curves_fitted": self.curves_fitted(),
            "envelope": self.envelope(),
            "local_exponent": self.local_exponent(),
            "departures": self.departures(),
            "endpoints": self.endpoints(),
            "smoothing": self.smoothing(),
        }

    def curves_fitted(self) -> pd.DataFrame:
        """Return the fitted curve of each train size over the norms that its runs reached."""
        runs, frames = self.fit.runs, []
        for k, size in enumerate(runs.sizes):
            own = runs.x[runs.size_of == k][runs.mask[runs.size_of == k]]
            x = np.linspace(own.min(), own.max(), DRAWN)
            y = self._curve(x, runs.p_of_sizes[k], k)(self.fit.theta).fitted[0]
            frames.append(pd.DataFrame({"train_size": size, "log_norm": self.log_norm(x), "log_error": y}))
        return pd.concat(frames, ignore_index=True)

    def envelope(self) -> pd.DataFrame:
        """Return the envelope of the largest train size: its curve if it never left, with limits."""
        theta = self.fit.theta.copy()
        theta[U_0] = NO_DEPARTURE
        x = self.fit.shape.x[::2]
        y, variance = self._along(x, theta, self.fit.runs.p_of_sizes[-1])
        half = self.reach * np.sqrt(variance)
        return pd.DataFrame({"log_norm": self.log_norm(x), "log_error": y, "low": y - half, "high": y + half})

    def local_exponent(self) -> pd.DataFrame:
        """Return -d ln error / d ln norm of the envelope of the largest train size, with limits."""
        fit, x = self.fit, self.fit.shape.x[::2]
        curve = self._curve(x, fit.runs.p_of_sizes[-1])

        def log_slope(theta: Floats) -> Floats:
            gone = self._lawful(theta)
            gone[U_0] = NO_DEPARTURE
            link = curve(gone).link[0]
            slope = fit.shape.envelope(theta).slope[::2] * link
            return np.asarray(np.log(np.maximum(slope, LEAST)))

        jacobian = derivatives(fit, log_slope, of_a_law=True)
        value = np.exp(log_slope(fit.theta)) / fit.runs.scale
        stderr = np.sqrt((jacobian @ fit.posterior * jacobian).sum(axis=1))
        factor = np.exp(np.minimum(self.reach * stderr, 20.0))
        return pd.DataFrame(
            {"log_norm": self.log_norm(x), "gamma_1": value, "low": value / factor, "high": value * factor}
        )

    def departures(self) -> pd.DataFrame:
        """Return the departure norm Lambda(P) of each train size, with limits; its own shift is included."""
        fit, e = self.fit, self.exponents
        p = fit.runs.p_of_sizes

        def places(theta: Floats) -> Floats:
            departures = Departures(Laws(fit, theta), p, theta[fit.shape.shifts])
            return np.asarray(departures.at(e.fractions, e.near).mean(axis=0))

        x = places(fit.theta)
        jacobian = derivatives(fit, places)
        half = self.reach * np.sqrt((jacobian @ fit.posterior * jacobian).sum(axis=1))
        return pd.DataFrame(
            {
                "train_size": fit.runs.sizes,
                "log_norm": self.log_norm(x),
                "low": self.log_norm(x - half),
                "high": self.log_norm(x + half),
                "envelope_shift": fit.theta[GAMMA_0] * (p[-1] - p),
            }
        )

    def endpoints(self) -> pd.DataFrame:
        """Return the measured least error of each train size with limits, and the line through them."""
        table = self.endpoint.table
        half = self.reach * table["stderr"]
        return table.assign(low=table["log_error"] - half, high=table["log_error"] + half)

    def smoothing(self) -> pd.DataFrame:
        """Return how the exponents depend on how smooth envelope and departure are held to be."""
        rows = [
            {
                "correction_g": float(np.sqrt(g)),
                "correction_h": float(np.sqrt(h)),
                "weight": weight,
                "gamma_0": found[0],
                "gamma_1": found[1],
                "gamma_2": found[2],
                "gamma_pred": found[3],
            }
            for g, h, weight, found in self.exponents.smoothing
        ]
        return pd.DataFrame(rows)

    def predict(self, train_sizes: Floats, log_norms: Floats | None) -> pd.DataFrame:
        """Return the error at any train size and norm, see `normlaw_registry.Findings.predict`.

        Without norms: the endpoint law that the two laws predict, gamma_pred through the centre of the measured
        least errors. Limits are of a new train size's expected error: what sizes have of their own is included.
        """
        size = np.asarray(train_sizes, dtype=np.float64)
        if log_norms is None:
            e, away = self.endpoint, np.log(size) - self.endpoint.centre
            y = e.level - self.exponents.values[NAMES.index("gamma_pred")] * away
            spread = np.hypot(*self.exponents.stderr("gamma_pred"))
            variance = e.level_stderr**2 + e.between**2 + (away * spread) ** 2
        else:
            runs, v = self.fit.runs, self.fit.variances
            p = np.log(size) - (np.log(runs.sizes[-1]) - runs.p_of_sizes[-1])
            x = (np.asarray(log_norms, dtype=np.float64) - runs.shift) / runs.scale
            y, variance = np.empty(len(p)), np.empty(len(p))
            for one in np.unique(p):
                rows = p == one
                y[rows], variance[rows] = self._along(x[rows], self.fit.theta, float(one))
            variance = variance + v.size_offset
        half = self.reach * np.sqrt(variance)
        return pd.DataFrame({"log_error": y, "log_error_low": y - half, "log_error_high": y + half})

    def _along(self, x: Floats, theta: Floats, p: float) -> tuple[Floats, Floats]:
        """Return ln error and its variance, (n,), at x (n,) on the curve of a centred ln P, without what sizes
        have of their own."""
        mean = self._curve(x, p)(self._lawful(theta))
        jacobian = mean.jacobian[0]  # (n, K)
        jacobian[:, self.fit.shape.offsets.start :] = 0.0
        variance = (jacobian @ self.fit.posterior * jacobian).sum(axis=1)
        return mean.fitted[0], np.maximum(variance, 0.0)

    def _curve(self, x: Floats, p: float, size: int = 0) -> Shape:
        """Return the model at x (n,) on the curve of a centred ln P, as of a run of a size (its place)."""
        runs = self.fit.runs
        p_of_sizes = runs.p_of_sizes.copy()
        p_of_sizes[size] = p
        return self.fit.shape.for_runs(runs.at(x[None], np.array([size]), p_of_sizes))

    def _lawful(self, theta: Floats) -> Floats:
        """Return parameters without what train sizes have of their own, (K,)."""
        lawful = theta.copy()
        lawful[self.fit.shape.offsets], lawful[self.fit.shape.shifts] = 0.0, 0.0
        return lawful
