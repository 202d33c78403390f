"""How far other priors or variances would move the exponents of a fit.

Most are followed for one Newton step of the fit's quadratic model, which says how far each would move the
exponents; those that would move one by a good part of its standard error are fitted to the end. That may be
another optimum, of much less evidence than where the fit began: the step counts then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from normlaw_plugins.protocols.envelope_model.fitting import Fit, at_mode
from normlaw_plugins.protocols.envelope_model.priors import Prior, with_variances
from normlaw_plugins.protocols.envelope_model.runs import Floats

WORTH_FITTING = 0.25
"""Of a standard error: what moves an exponent by less is not fitted to the end."""
ELSEWHERE = 3.0
"""Of ln evidence: what a fit loses by more has gone to another place."""


@dataclass(frozen=True)
class Alternative:
    """A fit with another prior or other variances, not fitted anew."""

    fit: Fit
    turn: Floats | None = None
    """What takes its parameters to those of the fit that it stands beside, (K, K); None: they are the same."""


@dataclass(frozen=True)
class Stepped:
    """An alternative after one step, and what evidence it gains on the fit that it stands beside."""

    fit: Fit
    gained: float
    at_first: float
    """Before the step."""


class OneStep:
    """Alternatives to a fit after one Newton step by its quadratic model."""

    def __init__(self, few: Fit) -> None:
        """Take what all steps begin with from a fit that has settled."""
        quadratic = few.quadratic
        prior = quadratic.prior
        self._information = quadratic.information
        self._slope = quadratic.gradient + prior.precision * (few.theta - prior.mean)  # (K,), no prior's in it
        self._still, self._here, _ = _newton(quadratic.information, quadratic.gradient, prior, few.theta)

    def __call__(self, other: Alternative) -> Stepped:
        """Return the alternative after the step, less the one that the fit itself would still go."""
        fit, slope, information, still = other.fit, self._slope, self._information, self._still
        prior = with_variances(fit.named, fit.shape, fit.variances)
        if other.turn is not None:
            slope, information = other.turn.T @ slope, other.turn.T @ information @ other.turn
            still = np.asarray(np.linalg.solve(other.turn, still), dtype=np.float64)
        gradient = slope - prior.precision * (fit.theta - prior.mean)
        step, there, at_first = _newton(information, gradient, prior, fit.theta)
        return Stepped(replace(fit, theta=fit.theta + step - still), there - self._here, at_first - self._here)


class Responses:
    """How exponents answer to alternatives.

    Args:
        few: the fit, settled.
        values: its exponents, (k,).
        stderr: their standard errors from the scatter of runs and sizes, (k,).
        exponents: of a fit; NaN where a departure is lost, which counts as no change.

    """

    def __init__(self, few: Fit, values: Floats, stderr: Floats, exponents: Callable[[Fit], Floats]) -> None:
        self._few, self._values, self._worth = few, values, WORTH_FITTING * stderr
        self._exponents, self._after_one_step = exponents, OneStep(few)

    def __call__(self, other: Alternative) -> tuple[Floats, float]:
        """Return by how much the exponents change, (k,), and the weight by evidence, 1 at most."""
        stepped = self._after_one_step(other)
        change, gained = self._change(stepped.fit), stepped.gained
        if (np.abs(change) > self._worth).any():
            fitted = at_mode(other.fit)
            by_fit = fitted.evidence - self._few.evidence
            if by_fit > stepped.at_first - ELSEWHERE:
                change, gained = self._change(fitted), by_fit
        return change, float(np.exp(min(gained, 0.0)))

    def _change(self, fit: Fit) -> Floats:
        return np.nan_to_num(self._exponents(fit) - self._values)


def _newton(information: Floats, gradient: Floats, prior: Prior, theta: Floats) -> tuple[Floats, float, float]:
    """Return a Newton step (K,), and what of the evidence depends on the prior, behind the step and before."""
    root = np.linalg.cholesky(information + np.diag(prior.precision))
    half = np.linalg.solve(root, gradient)
    before = 0.5 * np.log(prior.precision).sum() - np.log(np.diag(root)).sum()
    before -= 0.5 * (prior.precision * (theta - prior.mean) ** 2).sum()
    return np.linalg.solve(root.T, half), float(before + 0.5 * half @ half), float(before)
