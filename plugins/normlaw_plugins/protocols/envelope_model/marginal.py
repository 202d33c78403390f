"""The laws' parameters where their own density is largest, all others integrated out, not the joint one.

Steeper slopes of envelope and departure that cancel describe the same curves, but leave the corrections less
room, the less the more of them the data resolve. The joint density knows nothing of that room. Where no more
than one curve a size holds the slopes, its mode may lie where next to none of the probability does. The
marginal density is the joint one times the volume that is left to all other parameters: the adjusted profile
likelihood of Cox and Reid (1987, JRSS B 49, 1), a nested Laplace approximation (Rue, Martino and Chopin 2009,
JRSS B 71, 319). Its mode is found by giving the prior of these parameters the slope of that volume. The link's
are among the others: a link that saturates more hides data from the corrections, whose room speaks for it.
"""

from __future__ import annotations

import numpy as np

from normlaw_plugins.protocols.envelope_model.likelihood import Gaussian
from normlaw_plugins.protocols.envelope_model.parameters import OF_LAWS
from normlaw_plugins.protocols.envelope_model.runs import Floats
from normlaw_plugins.protocols.envelope_model.shape import Shape


def tilt_at(shape: Shape, theta: Floats, shifts: Floats, here: Gaussian) -> Floats:
    """Return the slope of the logarithm of the volume by the parameters of the laws, (K,).

    Args:
        shape: the model.
        theta: the parameters, (K,).
        shifts: the runs' displacements, (R,).
        here: the quadratic model there.

    """
    others = slice(OF_LAWS, None)
    inverse = np.linalg.inv(here.curvature[others, others])
    follow = -inverse @ here.curvature[others, :OF_LAWS]  # how the others follow, (K - OF_LAWS, OF_LAWS)
    # of ln det (J' W J + own) the derivative is 2 tr((J' W J + own)^-1 J' W dJ)
    weights = here.whiten.back(here.jacobian[..., others] @ inverse)  # (R, n, K - OF_LAWS)
    bend = shape(theta, shifts).bend(weights)
    tilt = np.zeros(len(theta))
    tilt[:OF_LAWS] = -bend[:OF_LAWS] - bend[others] @ follow
    return tilt
