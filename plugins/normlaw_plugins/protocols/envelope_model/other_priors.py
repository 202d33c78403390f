"""What the exponents would be with other priors: each number chosen by hand in them, halved and doubled.

Where runs are repeated and curves are seen before they depart, data decide and priors change next to nothing.
With one curve a train size they matter, and an error that left them out would be too small. Most are followed
for one Newton step, which says how far each would move the exponents; those that would move one by a good part
of its standard error are fitted to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

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
    for pair in _alternatives(few):
        squares = []
        for other in pair:
            tried, evidence = _after_one_step(few, other)
            change = np.nan_to_num(exponents(tried) - values)
            if (np.abs(change) > WORTH_FITTING * stderr).any():
                tried = settle(other, STEPS)
                change, evidence = np.nan_to_num(exponents(tried) - values), tried.evidence - few.evidence
            squares.append(float(np.exp(min(evidence, 0.0))) * change**2)
        total += np.mean(squares, axis=0)
    return total


def _alternatives(few: Fit) -> Iterator[tuple[Fit, Fit]]:
    """Yield the fit with each prior's width, mean, and the correlation length of both corrections changed."""
    named = few.named
    for place in WIDTHS:
        if place == DEPTH:  # 0 in this model
            continue
        one, other = (named.precision.copy() for _ in range(2))
        one[place] *= FACTOR**2
        other[place] /= FACTOR**2
        yield replace(few, named=Prior(named.mean, one)), replace(few, named=Prior(named.mean, other))
    for place, by in MOVED.items():
        one, other = (named.mean.copy() for _ in range(2))
        one[place] -= by
        other[place] += by
        yield replace(few, named=Prior(one, named.precision)), replace(few, named=Prior(other, named.precision))
    yield _with_length(few, LENGTH / FACTOR), _with_length(few, LENGTH * FACTOR)


def _with_length(few: Fit, length: float) -> Fit:
    """Return the same curves in the variables of corrections with another correlation length."""
    shape, theta = few.shape.with_length(length), few.theta.copy()
    theta[shape.g] = np.linalg.solve(_turned(few.shape.basis_g, shape.basis_g), few.theta[shape.g])
    theta[shape.h] = np.linalg.solve(_turned(few.shape.basis_h, shape.basis_h), few.theta[shape.h])
    return replace(few, shape=shape, theta=theta)


def _turned(old: Floats, new: Floats) -> Floats:
    """Return what takes variables of a new basis (F, k) to those of the old one, (k, k)."""
    return np.asarray(np.linalg.lstsq(old, new, rcond=None)[0])


def _after_one_step(few: Fit, other: Fit) -> tuple[Fit, float]:
    """Return the alternative after one Newton step by the fit's quadratic model, and its gain of evidence."""
    quadratic = few.quadratic
    before, after = quadratic.prior, with_variances(other.named, other.shape, few.variances)
    slope = quadratic.gradient + before.precision * (few.theta - before.mean)  # of the data alone, (K,)
    information = quadratic.information
    if other.shape is not few.shape:
        turn = np.eye(len(few.theta))
        for part, old, new in (
            (few.shape.g, few.shape.basis_g, other.shape.basis_g),
            (few.shape.h, few.shape.basis_h, other.shape.basis_h),
        ):
            turn[part, part] = _turned(old, new)
        slope, information = turn.T @ slope, turn.T @ information @ turn
    _, here = _newton(quadratic.information, quadratic.gradient, before, few.theta)
    step, gained = _newton(
        information, slope - after.precision * (other.theta - after.mean), after, other.theta
    )
    return replace(other, theta=other.theta + step), gained - here


def _newton(information: Floats, gradient: Floats, prior: Prior, theta: Floats) -> tuple[Floats, float]:
    """Return a Newton step (K,), and the part of the evidence behind it that depends on the prior."""
    root = np.linalg.cholesky(information + np.diag(prior.precision))
    half = np.linalg.solve(root, gradient)
    evidence = 0.5 * half @ half - 0.5 * (prior.precision * (theta - prior.mean) ** 2).sum()
    evidence += 0.5 * np.log(prior.precision).sum() - np.log(np.diag(root)).sum()
    return np.linalg.solve(root.T, half), float(evidence)
