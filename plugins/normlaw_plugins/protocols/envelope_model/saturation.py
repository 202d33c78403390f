"""What saturation leaves of an exponent: the link's mean slope between the least errors of the end sizes.

Behind the link to the chance level the law of the least errors is eta_opt = c - gamma_pred ln P, where the
envelope is straight: departures of all sizes have the same form, and what they cost at the optimum is the same.
In front of it the same errors fall less, by the link's mean slope between them, so that this part of every
exponent makes gamma_pred the slope of the model's own least errors, however softly errors saturate. The link's
slope where curves depart would not: there errors may be near the chance level, and the least ones far below it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from normlaw_plugins.protocols.envelope_model.mean import TINY
from normlaw_plugins.protocols.envelope_model.parameters import LOG_SHARPNESS
from normlaw_plugins.protocols.envelope_model.runs import Floats, Runs
from normlaw_plugins.protocols.envelope_model.shape import Shape

PLACES = 200
"""Norms at which a curve's least is sought: it is flat there, and a neighbour as good as the place itself."""
FLAT = 1e-9
"""Difference of two eta below which the link's slope is that at both."""


def ends_of(shape: Shape, runs: Runs) -> Shape:
    """Return the model of a run of the smallest size and one of the largest, over the norms of each."""
    ends = [0, len(runs.sizes) - 1]
    own = [runs.x[runs.size_of == k][runs.mask[runs.size_of == k]] for k in ends]
    x = np.stack([np.linspace(one.min(), one.max(), PLACES) for one in own])  # (2, PLACES)
    made = runs.at(x, np.array([0, 1]), runs.p_of_sizes[[0, -1]])
    return shape.for_runs(replace(made, sizes=runs.sizes[ends]))


def part_left(ends: Shape, theta: Floats) -> float:
    """Return the part of an exponent behind the link that is left in front of it.

    Args:
        ends: what `ends_of` returns.
        theta: the parameters, (K,); what train sizes have of their own is no part of a law.

    """
    lawful = theta.copy()
    lawful[ends.offsets], lawful[ends.shifts] = 0.0, 0.0
    mean = ends(lawful)
    least = np.arange(2), mean.fitted.argmin(axis=1)
    fitted, slope = mean.fitted[least], np.maximum(mean.link[least], TINY)  # (2,)
    eta = fitted - np.log(slope) / np.exp(theta[LOG_SHARPNESS])  # what is behind the link
    fall = float(eta[1] - eta[0])
    return float((fitted[1] - fitted[0]) / fall) if abs(fall) > FLAT else float(slope.mean())
