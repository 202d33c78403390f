"""Gauss-Legendre panels that follow the corners and the widths of the integrands.

The integrands of the saddle point live on up to three scales at once: s where the teacher's sign is in
doubt, 1/lambda where the loss bends, and 1 where the Gaussian measure ends. Their ratios reach 1e8, so the
range is cut at every corner, and from there outwards in panels that grow by a constant factor: an integrand
that is analytic but for a singularity at the corner's own scale then converges geometrically in the number
of nodes, whatever the ratios.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from normlaw_plugins.theories.replica.losses import Array

NODES = 20
"""Nodes a panel: relative error of an integral below 1e-13 with panels that grow by GROWTH."""
GROWTH = 4.0
TAIL = 9.5
"""Standard deviations of a Gaussian that count: e^(-TAIL^2/2) = 3e-20."""

Corner = tuple[Array, Array]
"""Position and width, one value per problem of the batch; a width of 0 means a sharp kink."""


def panels(start: Array, end: Array, corners: Sequence[Corner], nodes: int = NODES) -> tuple[Array, Array]:
    """Return nodes and weights of the integrals from `start` to `end`, one row per problem.

    Args:
        start: lower ends, shape (n,).
        end: upper ends, shape (n,).
        corners: where the integrand changes its behaviour, and how fast.
        nodes: Gauss-Legendre nodes a panel.

    Returns:
        Nodes and weights, both of shape (n, m). Rows share m; panels that are empty for a problem have
        weight 0.

    """
    cuts = [start, end]
    for position, width in corners:
        cuts.append(position)
        reach = float(np.max(np.maximum(end - position, position - start)))
        rounded = width[width > 0.0]
        if rounded.size == 0:
            continue
        levels = int(np.ceil(np.log(max(reach / float(rounded.min()), 1.0)) / np.log(GROWTH))) + 1
        for level in range(min(levels, 40)):
            offset = width * GROWTH**level
            cuts += [position - offset, position + offset]
    edges = np.sort(np.clip(np.stack(cuts, axis=1), start[:, None], end[:, None]), axis=1)  # (n, cuts)
    kept = np.append(True, np.any(np.diff(edges, axis=1) > 0.0, axis=0))
    edges = edges[:, kept]
    unit, weight = _gauss_legendre(nodes)
    half = 0.5 * np.diff(edges, axis=1)[:, :, None]  # (n, panels, 1)
    middle = 0.5 * (edges[:, 1:] + edges[:, :-1])[:, :, None]
    rows = len(start)
    return (middle + half * unit).reshape(rows, -1), (half * weight).reshape(rows, -1)


@cache
def _gauss_legendre(nodes: int) -> tuple[Array, Array]:
    """Return nodes and weights on [-1, 1], worked out once: they take longer than an integral."""
    unit, weight = np.polynomial.legendre.leggauss(nodes)
    unit.flags.writeable = weight.flags.writeable = False
    return unit, weight
