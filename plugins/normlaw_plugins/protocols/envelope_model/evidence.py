"""Variances of the largest evidence, about one linearisation: the evidence's gradient, and a climb along it.

The gradient is that of restricted maximum likelihood (Harville 1977, JASA 72, 320): with V the covariance of
all points, what the parameters' priors add included, and a = V^-1 residual, the derivative by a variance of
which V has the part V_k is (a' V_k a - tr(V^-1 V_k)) / 2. Only blocks of V^-1 of one run are needed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from normlaw_plugins.protocols.envelope_model.likelihood import Linearised, correlation, covariance, whitening
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
    runs, v, prior = shape.runs, variances, with_variances(named, shape, variances)
    whiten = whitening(covariance(runs, point, v))
    jacobian, residual = point.mean.jacobian, point.residual  # (R, n, K), (R, n)
    count = len(theta)
    white = whiten(jacobian)  # (R, n, K)
    white_residual = whiten(residual[..., None])[..., 0]  # (R, n)
    flat = white.reshape(-1, count)
    away = theta - prior.mean
    gradient = flat.T @ white_residual.ravel() - prior.precision * away
    curvature = flat.T @ flat + np.diag(prior.precision)
    posterior = np.linalg.inv(curvature)
    step = posterior @ gradient
    objective = white_residual.ravel() @ white_residual.ravel() - gradient @ step
    objective += (prior.precision * away**2).sum()
    logs = 2 * whiten.log_determinant + np.linalg.slogdet(curvature)[1]
    logs -= np.log(prior.precision[prior.precision > 0]).sum()
    a = whiten.back((white_residual - white @ step)[..., None])  # (R, n, 1)
    towards = whiten.back(white)  # (R, n, K)
    excess = (towards @ posterior) @ np.swapaxes(towards, 1, 2)  # (R, n, n)
    excess += a * np.swapaxes(a, 1, 2)
    excess -= whiten.back(whiten.matrix)
    drift = correlation(runs, v)
    drift *= v.drift
    drift *= excess
    offset, shift = (np.where(runs.mask, s, 0.0) for s in (point.mean.offset_slope, point.mean.shift_slope))
    own = np.where(runs.mask, v.noise * point.variance, 0.0)
    by = {
        "noise": float((own * np.einsum("rii->ri", excess)).sum()),
        "drift": float(drift.sum()),
        "drift_length": float((drift * runs.apart).sum()) / v.drift_length,
        "run_offset": v.run_offset * _form(excess, offset),
        "run_shift": v.run_shift * _form(excess, shift),
    }
    square = prior.precision * ((away + step) ** 2 + np.diag(posterior)) - 1
    for name, part in (
        ("size_offset", shape.offsets),
        ("size_shift", shape.shifts),
        ("correction_g", shape.g),
        ("correction_h", shape.h),
    ):
        by[name] = float(square[part].sum())
    return -0.5 * float(objective + logs), {name: 0.5 * slope for name, slope in by.items()}


def _form(matrix: Floats, column: Floats) -> float:
    """Return the sum over runs of column' matrix column, (R, n, n) and (R, n)."""
    return float(((matrix @ column[..., None])[..., 0] * column).sum())


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
