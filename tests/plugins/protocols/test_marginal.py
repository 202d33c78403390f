"""The mode of the marginal density, against fits in which the laws' parameters are held elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import block_diag

from normlaw.analysis.curves import prepare
from normlaw_plugins.protocols.envelope_model.fitting import Fit, newton
from normlaw_plugins.protocols.envelope_model.likelihood import Gaussian, Scatter, gaussian, linearise
from normlaw_plugins.protocols.envelope_model.marginal import tilt_at
from normlaw_plugins.protocols.envelope_model.parameters import OF_LAWS
from normlaw_plugins.protocols.envelope_model.priors import Prior
from normlaw_plugins.protocols.envelope_model.runs import Floats, runs_of
from normlaw_plugins.protocols.envelope_model.search import fit
from normlaw_tests.law_families import draw


@pytest.fixture(scope="module")
def alone() -> Fit:
    """Return the fit of one curve a size: priors and volumes matter most there."""
    curves = draw("straight", 2)[0]
    return fit(runs_of(prepare(curves[curves["seed"] == curves["seed"].min()])[0]))


def about(f: Fit, theta: Floats, named: Prior) -> Gaussian:
    return gaussian(f.shape, linearise(f.shape, f.noise, theta, f.run_shifts), theta, f.variances, named)


def refitted(f: Fit, moved: Floats) -> Floats:
    """Return parameters, the laws' moved by (OF_LAWS,) and everything else fitted to them."""
    theta = f.theta.copy()
    theta[:OF_LAWS] += moved
    mean, precision = f.named.mean.copy(), f.named.precision.copy()
    mean[:OF_LAWS], precision[:OF_LAWS] = theta[:OF_LAWS], 1e12
    return newton(f.shape, f.noise, theta, f.run_shifts, f.variances, Prior(mean, precision), 60, 1e-9)[0]


def held(f: Fit, moved: Floats) -> Gaussian:
    """Return the model about those."""
    return about(f, refitted(f, moved), replace(f.named, tilt=0.0))


def log_density(f: Fit, integrated: slice) -> float:
    """Return the log density of the data by the assembled covariance of all points, some parameters in it."""
    here = f.quadratic
    point = linearise(f.shape, f.noise, f.theta, f.run_shifts)
    covariance = block_diag(*Scatter(f.runs, f.variances).covariance(point))
    jacobian = point.mean.jacobian.reshape(-1, len(f.theta))[:, integrated]
    covariance += jacobian @ np.diag(1 / here.prior.precision[integrated]) @ jacobian.T
    away = point.residual.ravel() - jacobian @ (here.prior.mean - f.theta)[integrated]
    return float(-0.5 * away @ np.linalg.solve(covariance, away) - 0.5 * np.linalg.slogdet(covariance)[1])


def test_densities_are_those_of_the_assembled_covariance(alone) -> None:
    still = np.zeros(OF_LAWS)
    free = replace(alone, theta=refitted(alone, still), settled=held(alone, still))
    here, prior = free.quadratic, free.quadratic.prior
    assert here.predicted() == pytest.approx(log_density(free, slice(None)), abs=1e-4)

    of_laws, others = slice(OF_LAWS), slice(OF_LAWS, None)
    known = log_density(free, others) - 0.5 * np.log(prior.precision[others]).sum()
    known -= 0.5 * (prior.precision * (free.theta - prior.mean) ** 2)[of_laws].sum()
    assert here.log_marginal() == pytest.approx(known, abs=1e-4)


def test_nowhere_near_is_the_marginal_density_larger(alone) -> None:
    covariance = alone.posterior[:OF_LAWS, :OF_LAWS]
    best = held(alone, np.zeros(OF_LAWS)).log_marginal()
    gains = {
        (place, sign): held(alone, sign * covariance[place] / np.sqrt(covariance[place, place])).log_marginal()
        - best
        for place in range(OF_LAWS)
        for sign in (-0.5, 0.5)
    }
    assert max(gains.values()) < 0
    tilt = alone.named.tilt[:OF_LAWS]
    assert np.sqrt(tilt @ covariance @ tilt) > 0.3  # so many standard deviations away is the joint mode


def test_the_slope_of_the_volume_is_that_between_fits_held_beside_it(alone) -> None:
    tilt = tilt_at(alone.shape, alone.theta, alone.run_shifts, alone.quadratic)
    deviation = np.sqrt(np.diag(alone.posterior))
    for place in range(OF_LAWS):
        step = np.zeros(OF_LAWS)
        step[place] = 0.05 * deviation[place]
        below, above = (
            np.linalg.slogdet(held(alone, by).curvature[OF_LAWS:, OF_LAWS:])[1] for by in (-step, step)
        )
        assert tilt[place] * deviation[place] == pytest.approx(-0.5 * (above - below) / 0.1, abs=0.02)
