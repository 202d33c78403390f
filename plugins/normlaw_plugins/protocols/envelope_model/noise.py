"""How far a measured point scatters: a relative part, and a part like that of counting errors on a test set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from normlaw_plugins.protocols.envelope_model.runs import Floats, Runs
from normlaw_registry.curves import noise_parts
from normlaw_registry.response import TEST_ERROR, Response

FLOOR = 1e-12
"""Variance below which numbers are taken as exact."""


@dataclass(frozen=True)
class Noise:
    """Variance of a log error of mean ln(mu): relative + counting times `counted` of mu.

    A test set of n examples gives counting = 1/n where its errors are independent from point to point. Where
    they are not, as with one test set measured again and again, the data say what is left of it.
    """

    relative: float
    counting: float
    response: Response = TEST_ERROR

    def variance(self, log_mean: Floats) -> Floats:
        """Return the variance at fitted log errors, any shape."""
        return self.relative + self.counting * counted(log_mean, self.response) + FLOOR

    def working_response(self, runs: Runs, log_mean: Floats) -> Floats:
        """Return what is fitted in place of ln(error), (R, n).

        For counts it is the working response of a generalised linear model with log link (McCullagh and
        Nelder 1989, section 2.5), ln(mu) + (error - mu)/mu: the log of a count is biased, and that of a count
        of zero does not exist.
        """
        if self.counting == 0:
            return runs.log_error
        return np.asarray(
            log_mean + np.clip(runs.error / np.exp(np.clip(log_mean, -40.0, 40.0)) - 1, -1.0, 20.0)
        )


def counted(log_mean: Floats, response: Response) -> Floats:
    """Return how the variance of ln(response) by the test set depends on its mean mu, any shape.

    With a floor f the measured mean is m = mu + f, and ln(m - f) varies by var(m) / mu^2. Counts have
    var(m) ~ m (1 - m), without a floor (1 - mu)/mu. A loss is no count: nearly all of a small mean loss comes
    from few examples, each with a loss of order 1, so that var(m) ~ m, as of a compound Poisson variable
    (Tweedie's family between 1 and 2); without a floor 1/mu.
    """
    mean = np.exp(np.clip(log_mean, -40.0, 40.0))
    measured = mean + response.floor
    spread = measured * np.maximum(1 - measured, 0.0) if response.is_fraction else measured
    return np.asarray(spread / mean**2)


def noise_of(runs: Runs) -> Noise:
    """Return the noise that `normlaw_registry.curves.noise_parts` finds between neighbouring points."""
    run_of = np.broadcast_to(np.arange(len(runs.x))[:, None], runs.x.shape)[runs.mask]

    def count(log_mean: Floats) -> Floats:
        return counted(log_mean, runs.response)

    parts = noise_parts(runs.x[runs.mask], runs.log_error[runs.mask], run_of, count)
    return Noise(max(parts[0], FLOOR), parts[1], runs.response)
