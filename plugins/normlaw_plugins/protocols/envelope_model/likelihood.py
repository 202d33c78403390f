"""The runs' covariance, and the marginal likelihood of the model (evidence) in Laplace's approximation.

A nonlinear mixed model (Lindstrom and Bates 1990, Biometrics 46, 673): each run has an offset, a displacement
of its departure and a smooth drift of its own, which are integrated out in a linearisation at their present
estimates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from normlaw_plugins.protocols.envelope_model.mean import Mean
from normlaw_plugins.protocols.envelope_model.noise import Noise
from normlaw_plugins.protocols.envelope_model.parameters import OF_LAWS
from normlaw_plugins.protocols.envelope_model.priors import Prior, Variances, with_variances
from normlaw_plugins.protocols.envelope_model.runs import Floats, Runs
from normlaw_plugins.protocols.envelope_model.shape import Shape


@dataclass(frozen=True)
class Linearised:
    """The model about one set of parameters: what a Newton step and the evidence need."""

    mean: Mean
    own: Floats
    """Derivatives of the mean by a run's own offset and displacement, (R, n, 2); 0 where none was measured."""
    residual: Floats
    """Working response less the mean without the runs' displacements, (R, n); 0 where nothing was measured."""
    variance: Floats
    """Of single points, (R, n)."""


def linearise(shape: Shape, noise: Noise, theta: Floats, run_shifts: Floats) -> Linearised:
    """Return the model about `theta` (K,) and the runs' displacements (R,)."""
    mean = shape(theta, run_shifts)
    response = noise.working_response(shape.runs, mean.fitted)
    residual = response - mean.fitted - mean.shift_slope * run_shifts[:, None]
    return about(shape.runs, noise, mean, np.where(shape.runs.mask, residual, 0.0))


def about(runs: Runs, noise: Noise, mean: Mean, residual: Floats) -> Linearised:
    """Return the model about a mean of some runs that leaves a residual (R, n)."""
    own = np.empty((*mean.fitted.shape, 2))
    own[..., 0], own[..., 1] = runs.mask * mean.link, runs.mask * mean.shift_slope
    return Linearised(mean, own, residual, noise.variance(mean.fitted))


class Scatter:
    """What points of a run scatter by and are correlated by, at one choice of variances."""

    def __init__(self, runs: Runs, variances: Variances) -> None:
        """Find the covariance of the drift, which is the same whatever the parameters are."""
        self.runs, self.variances = runs, variances
        self.drift = variances.drift * np.exp(runs.apart / -variances.drift_length)  # (R, n, n)

    def covariance(self, point: Linearised) -> Floats:
        """Return the covariance of the points of each run, (R, n, n); what was not measured has variance 1."""
        v = self.variances
        own = point.own * np.sqrt([v.run_offset, v.run_shift])
        matrix = self.drift + own @ np.swapaxes(own, 1, 2)
        diagonal = np.einsum("rii->ri", matrix)  # a view
        diagonal[...] = np.where(self.runs.mask, diagonal + v.noise * point.variance, 1.0)
        return matrix

    def along(self, excess: Floats, point: Linearised) -> dict[str, float]:
        """Return what matrices (R, n, n) times the covariance's change by each ln variance sum up to."""
        v, drift = self.variances, self.drift * excess
        measured = np.where(self.runs.mask, point.variance * np.einsum("rii->ri", excess), 0.0)
        offset, shift = ((excess @ point.own) * point.own).sum(axis=(0, 1))
        return {
            "noise": v.noise * float(measured.sum()),
            "drift": float(drift.sum()),
            "drift_length": float(np.vdot(drift, self.runs.apart)) / v.drift_length,
            "run_offset": v.run_offset * float(offset),
            "run_shift": v.run_shift * float(shift),
        }


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

    roots = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    log_determinant = float(np.log(np.diagonal(roots, axis1=1, axis2=2)).sum())
    for root in roots:
        # a row-major lower triangle is a column-major upper one: LAPACK inverts it where it is
        dtrtri(root.T, lower=0, overwrite_c=1)
    return Whitening(roots, log_determinant)


@dataclass(frozen=True)
class Gaussian:
    """The quadratic model of the posterior about one set of parameters."""

    whiten: Whitening
    jacobian: Floats
    """With unit noise, (R, n, K)."""
    residual: Floats
    """With unit noise, (R, n)."""
    information: Floats
    """Of the data, (K, K)."""
    prior: Prior
    gradient: Floats
    """Of the log posterior and the prior's tilt, (K,)."""
    objective: float
    """Negative log posterior without constants."""

    @property
    def curvature(self) -> Floats:
        """Data and prior together, (K, K)."""
        return self.information + np.diag(self.prior.precision)

    @property
    def scores(self) -> Floats:
        """Each run's part of the data's gradient, (R, K)."""
        return np.asarray(np.einsum("rnk,rn->rk", self.jacobian, self.residual))

    @cached_property
    def independent(self) -> Whitening:
        """What makes parameters independent and of unit precision, as of one run of K points."""
        return whitening(self.curvature[None])

    def evidence(self) -> float:
        """Return ln p(data | variances): the integral of `log_marginal` about the parameters, its mode."""
        precision = self.prior.precision
        prior = 0.5 * float(np.log(precision[precision > 0]).sum())
        return prior - self.objective - self.whiten.log_determinant - self.independent.log_determinant

    def log_marginal(self) -> float:
        """Return the log density of the laws' parameters, all others integrated out, without constants.

        The others are taken to be where they are most probable, and not where one step would bring them: far
        from there the quadratic model promises much that is not to be had.
        """
        others = self.curvature[OF_LAWS:, OF_LAWS:]
        return -self.objective - self.whiten.log_determinant - log_root(others)

    def predicted(self) -> float:
        """Return ln p(data | variances) at the optimum of the quadratic model."""
        return self.evidence() + self.promised()

    def promised(self) -> float:
        """Return what ln density gains up to the optimum of the quadratic model."""
        return 0.5 * float((self.independent(self.gradient[None, :, None]) ** 2).sum())


def log_root(matrix: Floats) -> float:
    """Return half the logarithm of a positive definite matrix's determinant."""
    return float(np.log(np.diag(np.linalg.cholesky(matrix))).sum())


def gaussian(shape: Shape, point: Linearised, theta: Floats, variances: Variances, named: Prior) -> Gaussian:
    """Return the quadratic model of the posterior of all parameters."""
    return quadratic(Scatter(shape.runs, variances), with_variances(named, shape, variances), point, theta)


def quadratic(scatter: Scatter, prior: Prior, point: Linearised, theta: Floats) -> Gaussian:
    """Return the quadratic model of the posterior of all parameters, of whose variances all is at hand."""
    whiten = whitening(scatter.covariance(point))
    jacobian, residual = whiten(point.mean.jacobian), whiten(point.residual[..., None])[..., 0]
    flat, off = jacobian.reshape(-1, len(theta)), residual.ravel()
    away = theta - prior.mean
    return Gaussian(
        whiten=whiten,
        jacobian=jacobian,
        residual=residual,
        information=flat.T @ flat,
        prior=prior,
        gradient=flat.T @ off - prior.precision * away + prior.tilt,
        objective=float(0.5 * off @ off + 0.5 * (prior.precision * away**2).sum()),
    )
