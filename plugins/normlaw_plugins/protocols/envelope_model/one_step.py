"""What a fit would come to with other priors or variances, by one Newton step of its quadratic model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from normlaw_plugins.protocols.envelope_model.fitting import Fit
from normlaw_plugins.protocols.envelope_model.priors import Prior, with_variances
from normlaw_plugins.protocols.envelope_model.runs import Floats


@dataclass(frozen=True)
class Alternative:
    """A fit with another prior or other variances, not fitted anew."""

    fit: Fit
    turn: Floats | None = None
    """What takes its parameters to those of the fit that it stands beside, (K, K); None: they are the same."""


class OneStep:
    """Alternatives to a fit after one Newton step by its quadratic model: its linear response to a prior."""

    def __init__(self, few: Fit) -> None:
        """Take what all steps begin with from a fit that has settled."""
        quadratic = few.quadratic
        prior = quadratic.prior
        self._information = quadratic.information
        self._slope = quadratic.gradient + prior.precision * (few.theta - prior.mean)  # of the data alone, (K,)
        _, self._here = _newton(quadratic.information, quadratic.gradient, prior, few.theta)

    def __call__(self, other: Alternative) -> tuple[Fit, float]:
        """Return the alternative after the step, and what it gains in evidence."""
        fit, slope, information = other.fit, self._slope, self._information
        prior = with_variances(fit.named, fit.shape, fit.variances)
        if other.turn is not None:
            slope, information = other.turn.T @ slope, other.turn.T @ information @ other.turn
        gradient = slope - prior.precision * (fit.theta - prior.mean)
        step, there = _newton(information, gradient, prior, fit.theta)
        return replace(fit, theta=fit.theta + step), there - self._here


def _newton(information: Floats, gradient: Floats, prior: Prior, theta: Floats) -> tuple[Floats, float]:
    """Return a Newton step (K,), and the part of the evidence behind it that depends on the prior."""
    root = np.linalg.cholesky(information + np.diag(prior.precision))
    half = np.linalg.solve(root, gradient)
    evidence = 0.5 * half @ half - 0.5 * (prior.precision * (theta - prior.mean) ** 2).sum()
    evidence += 0.5 * np.log(prior.precision).sum() - np.log(np.diag(root)).sum()
    return np.linalg.solve(root.T, half), float(evidence)
