"""What the exponents would be with other priors: each number chosen by hand in them, halved and doubled.

Where runs are repeated and curves are seen before they depart, data decide and priors change next to nothing.
With one curve a train size they matter, and an error that left them out would be too small. Most are followed
for one Newton step, which says how far each would move the exponents; those that would move one by a good part
of its standard error are fitted to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from normlaw_plugins.protocols.envelope_model.fitting import Fit, settle
from normlaw_plugins.protocols.envelope_model.priors import ABOVE, WIDTHS, Prior, with_variances
from normlaw_plugins.protocols.envelope_model.runs import Floats
from normlaw_plugins.protocols.envelope_model.shape import (
    CEILING,
    DEPTH,
    LENGTH,
    LOG_A,
    LOG_GAMMA_1,
    LOG_Q,
    LOG_RATIO,
    LOG_SHARPNESS,
    X_1,
)

FACTOR = 2.0
WORTH_FITTING = 0.25
"""Of a standard error: what moves an exponent by less is not fitted to the end."""
STEPS = 20
MOVED = dict.fromkeys((LOG_GAMMA_1, LOG_Q, LOG_A, LOG_RATIO, LOG_SHARPNESS), float(np.log(FACTOR)))
MOVED |= {X_1: 1.0, CEILING: ABOVE}
"""What the prior means are moved by, up and down: rates and slopes by the factor."""


@dataclass(frozen=True)
class Alternative:
    """A fit with another prior, not fitted anew."""

    fit: Fit
    turn: Floats | None = None
    """What takes its parameters to those of the fit that it stands beside, (K, K); None: they are the same."""


def variances_over_priors(
    few: Fit, values: Floats, stderr: Floats, exponents: Callable[[Fit], Floats]
) -> Floats:
    """Return what each prior adds to the variances of the exponents about `values`, summed, (k,).

    For each number the mean of its squared changes, halved and doubled, each weighted by its evidence where
    that is less: an alternative that data speak against counts as little as they speak for it.

    Args:
        few: the fit, settled.
        values: its exponents, (k,).
        stderr: their standard errors from the scatter of runs and sizes, (k,).
        exponents: of a fit; NaN where a departure is lost, which counts as no change.

    """
    total = np.zeros(len(values))
    after_one_step = OneStep(few)
    for pair in _alternatives(few):
        squares = []
        for other in pair:
            tried, evidence = after_one_step(other)
            change = np.nan_to_num(exponents(tried) - values)
            if (np.abs(change) > WORTH_FITTING * stderr).any():
                tried = settle(other.fit, STEPS)
                change, evidence = np.nan_to_num(exponents(tried) - values), tried.evidence - few.evidence
            squares.append(float(np.exp(min(evidence, 0.0))) * change**2)
        total += np.mean(squares, axis=0)
    return total


def _alternatives(few: Fit) -> Iterator[tuple[Alternative, Alternative]]:
    """Yield the fit with each prior's width, mean, and the correlation length of both corrections changed."""
    mean, precision = few.named.mean, few.named.precision
    for place in WIDTHS:
        if place != DEPTH:  # 0 in this model
            one, other = (_changed(precision, place, precision[place] * f) for f in (FACTOR**2, FACTOR**-2))
            yield _with_prior(few, Prior(mean, one)), _with_prior(few, Prior(mean, other))
    for place, by in MOVED.items():
        one, other = (_changed(mean, place, mean[place] + step) for step in (-by, by))
        yield _with_prior(few, Prior(one, precision)), _with_prior(few, Prior(other, precision))
    yield _with_length(few, LENGTH / FACTOR), _with_length(few, LENGTH * FACTOR)


def _changed(values: Floats, place: int, value: float) -> Floats:
    """Return a copy with another value at a place."""
    copy = values.copy()
    copy[place] = value
    return copy


def _with_prior(few: Fit, named: Prior) -> Alternative:
    return Alternative(replace(few, named=named))


def _with_length(few: Fit, length: float) -> Alternative:
    """Return the same curves in the variables of corrections with another correlation length."""
    shape, turn = few.shape.with_length(length), np.eye(len(few.theta))
    turn[shape.g, shape.g] = _turned(few.shape.basis_g, shape.basis_g)
    turn[shape.h, shape.h] = _turned(few.shape.basis_h, shape.basis_h)
    theta = np.asarray(np.linalg.solve(turn, few.theta), dtype=np.float64)
    return Alternative(replace(few, shape=shape, theta=theta), turn)


def _turned(old: Floats, new: Floats) -> Floats:
    """Return what takes variables of a new basis (F, k) to those of the old one, (k, k)."""
    return np.asarray(np.linalg.lstsq(old, new, rcond=None)[0])


class OneStep:
    """Alternatives to a fit after one Newton step by its quadratic model."""

    def __init__(self, few: Fit) -> None:
        """Take what all steps begin with from a fit that has settled."""
        quadratic = few.quadratic
        prior = quadratic.prior
        self._few, self._information = few, quadratic.information
        self._slope = quadratic.gradient + prior.precision * (few.theta - prior.mean)  # of the data alone, (K,)
        _, self._here = _newton(quadratic.information, quadratic.gradient, prior, few.theta)

    def __call__(self, other: Alternative) -> tuple[Fit, float]:
        """Return the alternative after the step, and what it gains in evidence."""
        fit, slope, information = other.fit, self._slope, self._information
        prior = with_variances(fit.named, fit.shape, self._few.variances)
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
