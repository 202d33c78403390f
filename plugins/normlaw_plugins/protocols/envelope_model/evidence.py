"""Variances of the largest evidence, about one linearisation: the evidence's gradient, and a climb along it.

The gradient is that of restricted maximum likelihood (Harville 1977, JASA 72, 320): with V the covariance of
all points, what the parameters' priors add included, and a = V^-1 residual, the derivative by a variance of
which V has the part V_k is (a' V_k a - tr(V^-1 V_k)) / 2. Only blocks of V^-1 of one run are needed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from normlaw_plugins.protocols.envelope_model.likelihood import Linearised, Scatter, quadratic
from normlaw_plugins.protocols.envelope_model.priors import LIMITS, Prior, Variances, with_variances
from normlaw_plugins.protocols.envelope_model.runs import Floats
from normlaw_plugins.protocols.envelope_model.shape import Shape

FARTHEST = 3.0
"""Largest change of the logarithm of a variance about one linearisation."""
CLOSE = 0.02
"""Gain of evidence below which a climb ends."""


def evidence_of(
    shape: Shape, point: Linearised, theta: Floats, variances: Variances, named: Prior
) -> tuple[float, dict[str, float]]:
    """Return the evidence and its derivatives by the logarithm of each variance."""
    scatter = Scatter(shape.runs, variances)
    here = quadratic(scatter, with_variances(named, shape, variances), point, theta)
    root = here.independent.matrix[0]  # (K, K)
    posterior = root.T @ root
    step = posterior @ here.gradient
    a = here.whiten.back((here.residual - here.jacobian @ step)[..., None])  # (R, n, 1)
    towards = here.whiten.back(here.jacobian)  # (R, n, K)
    excess = (towards @ posterior) @ np.swapaxes(towards, 1, 2)  # (R, n, n)
    excess += a * np.swapaxes(a, 1, 2)
    excess -= here.whiten.back(here.whiten.matrix)
    square = here.prior.precision * ((theta - here.prior.mean + step) ** 2 + np.diag(posterior)) - 1
    by = scatter.along(excess, point) | {
        "size_offset": float(square[shape.offsets].sum()),
        "size_shift": float(square[shape.shifts].sum()),
        "correction_g": float(square[shape.g].sum()),
        "correction_h": float(square[shape.h].sum()),
    }
    return here.predicted(), {name: 0.5 * slope for name, slope in by.items()}


def climb(
    shape: Shape, point: Linearised, theta: Floats, variances: Variances, named: Prior, fixed: tuple[str, ...]
) -> tuple[Variances, float]:
    """Return variances of a larger evidence, and it, by a quasi-Newton method (L-BFGS-B) in their logarithms.

    Args:
        shape: of the runs.
        point: the linearisation, about which evidence is a function of variances alone.
        theta: the parameters that it is about, (K,).
        variances: to begin at.
        named: the priors of the named parameters.
        fixed: variances that stay as they are.

    """
    from scipy.optimize import minimize

    names = [name for name in LIMITS if name not in fixed]
    begin = np.log([getattr(variances, name) for name in names])
    limits = np.log([LIMITS[name] for name in names])
    low, high = np.maximum(limits[:, 0], begin - FARTHEST), np.minimum(limits[:, 1], begin + FARTHEST)

    def at(logs: Floats) -> Variances:
        return replace(variances, **{n: float(v) for n, v in zip(names, np.exp(logs), strict=True)})

    def loss(logs: Floats) -> tuple[float, Floats]:
        value, by = evidence_of(shape, point, theta, at(logs), named)
        return -value, -np.array([by[name] for name in names])

    first = np.clip(begin, low, np.maximum(low, high))
    at_first = loss(first)
    scale = abs(at_first[0]) + 1.0
    found = minimize(
        lambda logs: at_first if np.array_equal(logs, first) else loss(logs),
        first,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low, np.maximum(low, high), strict=True)),
        options={"maxfun": 25, "ftol": CLOSE / scale},
    )
    return at(found.x), -float(found.fun)
