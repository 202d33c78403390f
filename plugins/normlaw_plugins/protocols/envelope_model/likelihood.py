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


def correlation(runs: Runs, variances: Variances) -> Floats:
    """Return the correlation of the drift at any two points of a run, (R, n, n)."""
    return np.asarray(np.exp(runs.apart / -variances.drift_length))


def covariance(runs: Runs, point: Linearised, variances: Variances) -> Floats:
    """Return the covariance of the points of each run, (R, n, n), with variance 1 for what was not measured."""
    v = variances
    offset, shift = (np.where(runs.mask, s, 0.0) for s in (point.mean.offset_slope, point.mean.shift_slope))
    matrix = v.drift * correlation(runs, v)
    for variance, slope in ((v.run_offset, offset), (v.run_shift, shift)):
        matrix += (variance * slope)[:, :, None] * slope[:, None]
    diagonal = np.arange(runs.x.shape[1])
    matrix[:, diagonal, diagonal] = np.where(
        runs.mask,
        v.drift + v.run_offset * offset**2 + v.run_shift * shift**2 + v.noise * point.variance,
        1.0,
    )
    return matrix


@dataclass(frozen=True)
class Whitening:
    """What makes the points of runs independent and of unit variance, and the reverse."""

    matrix: Floats
    """Inverse Cholesky factors of the covariances, lower triangular, (R, n, n)."""
    log_determinant: float
    """Half of that of all covariances."""

    def __call__(self, columns: Floats) -> Floats:
        """Return whitened columns, (R, n, k)."""
        return np.asarray(self.matrix @ columns)

    def back(self, columns: Floats) -> Floats:
        """Return the inverse covariances times what whitened columns (R, n, k) were made from."""
        return np.asarray(np.swapaxes(self.matrix, 1, 2) @ columns)


def whitening(covariance: Floats) -> Whitening:
    """Return the whitening of covariances, (R, n, n).

    The factors are inverted once: they serve many columns, and products of matrices are faster than solving.
    """
    from scipy.linalg.lapack import dtrtri

    root = np.linalg.cholesky(covariance)
    matrix = np.empty_like(root)
    for own, one in zip(matrix, root, strict=True):
        # a row-major lower triangle is a column-major upper one: LAPACK takes it without a copy
        own[:] = dtrtri(one.T, lower=0)[0].T
    return Whitening(matrix, float(np.log(np.diagonal(root, axis1=1, axis2=2)).sum()))


@dataclass(frozen=True)
class Gaussian:
    """The quadratic model of the posterior about one set of parameters."""

    whiten: Whitening
    whitened: Floats
    """Jacobian and residual with unit noise, (R, n, K + 1)."""
    information: Floats
    """Of the data, (K, K)."""
    prior: Prior
    gradient: Floats
    """Of the log posterior, (K,)."""
    objective: float
    """Negative log posterior without constants."""

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
            - self.whiten.log_determinant
            + 0.5 * np.log(precision[precision > 0]).sum()
            - np.log(np.diag(root)).sum()
        )


def gaussian(shape: Shape, point: Linearised, theta: Floats, variances: Variances, named: Prior) -> Gaussian:
    """Return the quadratic model of the posterior of all parameters."""
    runs, prior = shape.runs, with_variances(named, shape, variances)
    whiten = whitening(covariance(runs, point, variances))
    both = np.concatenate([point.mean.jacobian, point.residual[..., None]], axis=2)  # (R, n, K + 1)
    whitened = whiten(both)
    jacobian, residual = whitened[..., :-1].reshape(-1, len(theta)), whitened[..., -1].ravel()
    away = theta - prior.mean
    return Gaussian(
        whiten=whiten,
        whitened=whitened,
        information=jacobian.T @ jacobian,
        prior=prior,
        gradient=jacobian.T @ residual - prior.precision * away,
        objective=float(0.5 * residual @ residual + 0.5 * (prior.precision * away**2).sum()),
    )
