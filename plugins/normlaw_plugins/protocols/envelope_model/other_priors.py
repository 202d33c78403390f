"""What the exponents would be with other priors: each number chosen by hand in them, halved and doubled.

Where runs are repeated and curves are seen before they depart, data decide and priors change next to nothing.
With one curve a train size they matter, and an error that left them out would be too small. Most are followed
for one Newton step, which says how far each would move the exponents; those that would move one by a good part
of its standard error are fitted to the end. Where the joint density rises away from the mode of the marginal
one (see `marginal`) that end is another place, of much less evidence than the step promised: the step counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from normlaw_plugins.protocols.envelope_model.fitting import Fit, settle
from normlaw_plugins.protocols.envelope_model.one_step import Alternative, OneStep
from normlaw_plugins.protocols.envelope_model.priors import ABOVE, WIDTHS, Prior
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
ELSEWHERE = 1.0
"""Of ln evidence: what a fit has less than its first step promised by more has gone to another place."""
MOVED = dict.fromkeys((LOG_GAMMA_1, LOG_Q, LOG_A, LOG_RATIO, LOG_SHARPNESS), float(np.log(FACTOR)))
MOVED |= {X_1: 1.0, CEILING: ABOVE}
"""What the prior means are moved by, up and down: rates and slopes by the factor."""


def variances_over_priors(
    few: Fit, after_one_step: OneStep, values: Floats, stderr: Floats, exponents: Callable[[Fit], Floats]
) -> Floats:
    """Return what each prior adds to the variances of the exponents about `values`, summed, (k,).

    For each number the larger of its squared changes, halved and doubled, so that neither moves an exponent by
    more than its error. Each is weighted by its evidence where that is less: an alternative that data speak
    against counts as little as they speak for it.

    Args:
        few: the fit, settled.
        after_one_step: what the fit comes to with another prior.
        values: its exponents, (k,).
        stderr: their standard errors from the scatter of runs and sizes, (k,).
        exponents: of a fit; NaN where a departure is lost, which counts as no change.

    """
    total = np.zeros(len(values))
    for pair in _alternatives(few):
        squares = []
        for other in pair:
            tried, gained = after_one_step(other)
            change = np.nan_to_num(exponents(tried) - values)
            if (np.abs(change) > WORTH_FITTING * stderr).any():
                fitted = settle(other.fit, STEPS)
                if fitted.evidence - few.evidence > gained - ELSEWHERE:
                    change, gained = np.nan_to_num(exponents(fitted) - values), fitted.evidence - few.evidence
            squares.append(float(np.exp(min(gained, 0.0))) * change**2)
        total += np.max(squares, axis=0)
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
