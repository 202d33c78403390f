"""What the exponents would be with other priors: each number chosen by hand in them, halved and doubled.

Where runs are repeated and curves are seen before they depart, data decide and priors change next to nothing.
With one curve a train size they matter, and an error that left them out would be too small.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from normlaw_plugins.protocols.envelope_model.alternatives import Alternative, Responses
from normlaw_plugins.protocols.envelope_model.fitting import Fit
from normlaw_plugins.protocols.envelope_model.parameters import (
    CEILING,
    DEPTH,
    LOG_A,
    LOG_GAMMA_1,
    LOG_Q,
    LOG_RATIO,
    LOG_SHARPNESS,
    X_1,
)
from normlaw_plugins.protocols.envelope_model.priors import ABOVE, WIDTHS, Prior
from normlaw_plugins.protocols.envelope_model.runs import Floats
from normlaw_plugins.protocols.envelope_model.shape import LENGTH

FACTOR = 2.0
MOVED = dict.fromkeys((LOG_GAMMA_1, LOG_Q, LOG_A, LOG_RATIO, LOG_SHARPNESS), float(np.log(FACTOR)))
MOVED |= {X_1: 1.0, CEILING: ABOVE}
"""What the prior means are moved by, up and down: rates and slopes by the factor."""


def variances_over_priors(few: Fit, respond: Responses) -> Floats:
    """Return what each prior adds to the variances of the exponents, summed, (k,).

    For each number the larger of its squared changes, halved and doubled, so that neither moves an exponent by
    more than its error. Where runs are repeated each is weighted by its evidence where that is less: an
    alternative that data speak against counts as little as they speak for it. One curve a size does not say how
    much it may be believed, and nothing is weighted by it.
    """
    added = []
    for pair in _alternatives(few):
        weighted = [(1.0 if few.runs.single else weight) * change**2 for change, weight in map(respond, pair)]
        added.append(np.max(weighted, axis=0))
    return np.asarray(np.sum(added, axis=0))


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
