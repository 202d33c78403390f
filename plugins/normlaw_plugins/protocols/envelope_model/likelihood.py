"""The runs' covariance, and the marginal likelihood of the model (evidence) in Laplace's approximation.

A nonlinear mixed model (Lindstrom and Bates 1990, Biometrics 46, 673): each run has an offset, a displacement
of its departure and a smooth drift of its own, which are integrated out in a linearisation at their present
estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from normlaw_plugins.protocols.envelope_model.noise import Noise
from normlaw_plugins.protocols.envelope_model.priors import Prior, Variances, with_variances
from normlaw_plugins.protocols.envelope_model.runs import Floats, Runs
from normlaw_plugins.protocols.envelope_model.shape import Mean, Shape


@dataclass(frozen=True)
class Linearised:
    """The model about one set of parameters: what a Newton step and the evidence need."""

    mean: Mean
    residual: Floats
    """Working response less the mean without the runs' displacements, (R, n); 0 where nothing was measured."""
    variance: Floats
    """Of single points, (R, n)."""


def linearise(shape: Shape, noise: Noise, theta: Floats, run_shifts: Floats) -> Linearised:
    """Return the model about `theta` (K,) and the runs' displacements (R,)."""
    mean = shape(theta, run_shifts)
    response = noise.working_response(shape.runs, mean.fitted)
    residual = response - mean.fitted - mean.shift_slope * run_shifts[:, None]
    return Linearised(mean, np.where(shape.runs.mask, residual, 0.0), noise.variance(mean.fitted))


def covariance(runs: Runs, point: Linearised, variances: Variances) -> Floats:
    """Return the covariance of the points of each run, (R, n, n), with variance 1 for what was not measured."""
    v = variances
    offset, shift = (np.where(runs.mask, s, 0.0) for s in (point.mean.offset_slope, point.mean.shift_slope))
    matrix = np.exp(runs.apart / -v.drift_length)
    matrix *= v.drift
    for variance, slope in ((v.run_offset, offset), (v.run_shift, shift)):
        matrix += (variance * slope)[:, :, None] * slope[:, None]
    diagonal = np.arange(runs.x.shape[1])
    matrix[:, diagonal, diagonal] = np.where(
        runs.mask,
        v.drift + v.run_offset * offset**2 + v.run_shift * shift**2 + v.noise * point.variance,
        1.0,
    )
    return matrix


def whiten(root: Floats, columns: Floats) -> Floats:
    """Return root^-1 columns for lower triangular roots (R, n, n) and columns (R, n, k)."""
    from scipy.linalg.lapack import dtrtrs

    # a row-major lower triangle is a column-major upper one: LAPACK takes it without a copy
    solved = [dtrtrs(one.T, own, lower=0, trans=1)[0] for one, own in zip(root, columns, strict=True)]
    return np.stack(solved)


def unwhiten(root: Floats, column: Floats) -> Floats:
    """Return root'^-1 column for lower triangular roots (R, n, n) and one column a run, (R, n)."""
    from scipy.linalg.lapack import dtrtrs

    solved = [dtrtrs(one.T, own, lower=0, trans=0)[0] for one, own in zip(root, column, strict=True)]
    return np.stack(solved)


@dataclass(frozen=True)
class Gaussian:
    """The quadratic model of the posterior about one set of parameters."""

    root: Floats
    """Cholesky factors of the runs' covariances, (R, n, n)."""
    whitened: Floats
    """Jacobian and residual with unit noise, (R, n, K + 1)."""
    information: Floats
    """Of the data, (K, K)."""
    prior: Prior
    gradient: Floats
    """Of the log posterior, (K,)."""
    objective: float
    """Negative log posterior without constants."""
    log_determinants: float

    @property
    def curvature(self) -> Floats:
        """Data and prior together, (K, K)."""
        return self.information + np.diag(self.prior.precision)

    @property
    def scores(self) -> Floats:
        """Each run's part of the data's gradient, (R, K)."""
        return np.asarray(np.einsum("rnk,rn->rk", self.whitened[..., :-1], self.whitened[..., -1]))

    def evidence(self) -> float:
        """Return ln p(data | variances), at the optimum of the quadratic model."""
        root = np.linalg.cholesky(self.curvature)
        step = np.linalg.solve(root, self.gradient)
        precision = self.prior.precision
        return float(
            -self.objective
            + 0.5 * step @ step
            - self.log_determinants
            + 0.5 * np.log(precision[precision > 0]).sum()
            - np.log(np.diag(root)).sum()
        )


def gaussian(shape: Shape, point: Linearised, theta: Floats, variances: Variances, named: Prior) -> Gaussian:
    """Return the quadratic model of the posterior of all parameters."""
    runs, prior = shape.runs, with_variances(named, shape, variances)
    root = np.asarray(np.linalg.cholesky(covariance(runs, point, variances)), dtype=np.float64)
    both = np.concatenate([point.mean.jacobian, point.residual[..., None]], axis=2)  # (R, n, K + 1)
    whitened = whiten(root, both)
    jacobian, residual = whitened[..., :-1].reshape(-1, len(theta)), whitened[..., -1].ravel()
    away = theta - prior.mean
    return Gaussian(
        root=root,
        whitened=whitened,
        information=jacobian.T @ jacobian,
        prior=prior,
        gradient=jacobian.T @ residual - prior.precision * away,
        objective=float(0.5 * residual @ residual + 0.5 * (prior.precision * away**2).sum()),
        log_determinants=float(np.log(np.diagonal(root, axis1=1, axis2=2)).sum()),
    )
