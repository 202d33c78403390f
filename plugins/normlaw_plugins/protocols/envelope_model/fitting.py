"""The fit: Newton's method for the parameters, evidence for the variances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from normlaw_plugins.protocols.envelope_model.evidence import climb
from normlaw_plugins.protocols.envelope_model.likelihood import (
    Gaussian,
    Scatter,
    gaussian,
    linearise,
    quadratic,
)
from normlaw_plugins.protocols.envelope_model.marginal import tilt_at
from normlaw_plugins.protocols.envelope_model.noise import Noise
from normlaw_plugins.protocols.envelope_model.parameters import GAMMA_0, NAMED
from normlaw_plugins.protocols.envelope_model.priors import Prior, Variances, with_variances
from normlaw_plugins.protocols.envelope_model.runs import Floats, Runs
from normlaw_plugins.protocols.envelope_model.saturation import ends_of
from normlaw_plugins.protocols.envelope_model.shape import Shape

ENOUGH = 0.1
"""Change of ln evidence from round to round at which variances are found."""
ROUGHLY = 1e-2
"""Gain of ln posterior density below which Newton's steps end."""
FEW_STEPS = 8
"""Of Newton's, with the slope of the volume held."""
PARTS = (1.0, 0.25, 0.06, 0.015)
"""Of the way to a new slope of the volume that are tried between choices of variances."""
AT_REST = 0.1
"""What ln marginal density may still gain, by its gradient, where a fit rests."""
COMPARED = 0.1
"""Part of both in fits whose odds count: evidence leaves its place with a slope, see `at_mode`, and with a
tenth to gain it may be off by some units."""
LAST_CLIMBS = 12
"""Towards there at most, when variances are found."""
OVERSHOT = 0.5
"""Of what was to be gained, that is left behind a climb that went too far."""
DAMPING = 1e-3
"""Multiple of the prior's precision by which the first step is damped."""
RELAXED = 0.5
"""Part of the way that a run's displacement goes in one step."""
LARGEST_STEP = 0.7
"""Of a named parameter in one Newton step."""
LARGEST_SHIFT = 2.0
"""Of a run's departure, in units of x: far more than any has. Cut off, it would have a density of its own."""


@dataclass(frozen=True)
class Fit:
    """The model fitted to runs."""

    runs: Runs
    shape: Shape
    noise: Noise
    variances: Variances
    named: Prior
    theta: Floats
    run_shifts: Floats
    evidence: float
    settled: Gaussian | None = None
    """The quadratic model of the posterior at the optimum; None while the fit is being sought."""
    rivals: tuple[Fit, ...] = ()
    """Fits of less evidence: with the other prior of gamma_0, and at other optima of the evidence."""

    @property
    def quadratic(self) -> Gaussian:
        """The quadratic model of the posterior at the optimum.

        Raises:
            ValueError: the fit has not settled.

        """
        if self.settled is None:
            raise ValueError("this fit has not settled: it has no quadratic model yet")
        return self.settled

    @cached_property
    def at_hand(self) -> Gaussian:
        """The quadratic model about the parameters, whether or not the fit has settled there."""
        return self.settled or quadratic_of(self)

    def has_prior_of(self, other: Fit) -> bool:
        """Return whether two fits take gamma_0 for as close to 0."""
        return bool(self.named.precision[GAMMA_0] == other.named.precision[GAMMA_0])

    @cached_property
    def ends(self) -> Shape:
        """The model of the smallest and the largest size, over their own norms."""
        return ends_of(self.shape, self.runs)

    @cached_property
    def posterior(self) -> Floats:
        """Covariance of the parameters, (K, K): scatter, and what smoothing leaves open (Wahba 1983)."""
        return np.asarray(np.linalg.inv(self.quadratic.curvature), dtype=np.float64)


def with_better_variances(begun: Fit, rounds: int = 20) -> Fit:
    """Return the fit at the variances of the largest evidence, climbed to from those it has.

    Variances are chosen about the parameters at hand, and parameters then fitted again, in turn."""
    f, last = begun, begun.evidence
    fixed = ("run_offset", "run_shift") if f.runs.single else ()
    for _ in range(rounds):
        point = linearise(f.shape, f.noise, f.theta, f.run_shifts)
        variances, value = climb(f.shape, point, f.theta, f.variances, f.named, fixed)
        if abs(value - last) < ENOUGH:
            break
        f, last = _uphill(replace(f, variances=variances, settled=None)), value
    if f is begun:
        return begun
    found = at_mode(f)
    return begun if begun.evidence > found.evidence else found


def _uphill(f: Fit) -> Fit:
    """Return the fit nearer to the mode of the marginal density (see `marginal`), and not below where it was.

    The slope of the volume is taken for the one at the parameters at hand; where that leads too far, for less.
    """
    here, old = f.at_hand, f.named.tilt
    slope = tilt_at(f.shape, f.theta, f.run_shifts, here)
    for part in PARTS:
        tried = _tilted(f, old + part * (slope - old), ROUGHLY)
        if tried.at_hand.log_marginal() > here.log_marginal() - ROUGHLY:
            return tried
    return f


def at_mode(begun: Fit, part: float = 1.0) -> Fit:
    """Return the fit at the mode of the marginal density of its variances, with its quadratic model there.

    It rests with less than `part` of `AT_REST` to gain.

    Where the climb does not come to rest it is the place of it that was nearest to that: farther away evidence
    means nothing.

    It rests where the gradient is zero, with noise and working response taken for those of the fitted curves:
    that solves the estimating equations of a generalised linear model (McCullagh and Nelder 1989, chapter 9).
    The value of the density does not say where that is: it counts the noise, and of counts the response, anew
    at each place, and may be larger by tens where the equations are not solved.
    """
    f = nearest = replace(begun, settled=None)
    least = before = np.inf
    for _ in range(LAST_CLIMBS):
        old, slope = f.named.tilt, tilt_at(f.shape, f.theta, f.run_shifts, f.at_hand)
        f = replace(f, named=replace(f.named, tilt=slope))
        left = f.at_hand.promised()
        if left > least and least < AT_REST:
            break  # no nearer than it was
        if left < least:
            nearest, least = f, left
        if left < part * AT_REST:
            break
        aimed = (old + slope) / 2 if left > OVERSHOT * before else slope
        f, before = _tilted(f, aimed, part * ROUGHLY), left
    return replace(nearest, settled=nearest.at_hand, evidence=nearest.at_hand.evidence())


def _tilted(f: Fit, tilt: Floats, enough: float) -> Fit:
    """Return the fit some steps on, with this slope of the volume; steps end that gain less than enough."""
    named = replace(f.named, tilt=tilt)
    theta, shifts = newton(f.shape, f.noise, f.theta, f.run_shifts, f.variances, named, FEW_STEPS, enough)
    return replace(f, named=named, theta=theta, run_shifts=shifts)


def quadratic_of(f: Fit) -> Gaussian:
    """Return the quadratic model of the posterior about a fit's parameters."""
    point = linearise(f.shape, f.noise, f.theta, f.run_shifts)
    return gaussian(f.shape, point, f.theta, f.variances, f.named)


def newton(
    shape: Shape,
    noise: Noise,
    theta: Floats,
    shifts: Floats,
    variances: Variances,
    named: Prior,
    steps: int,
    enough: float = 1e-3,
) -> tuple[Floats, Floats]:
    """Return parameters and runs' displacements at the largest posterior density.

    Gauss and Newton's steps, damped in the metric of the prior (Levenberg): the directions that data leave open
    are those in which a step may go too far.
    """
    from scipy.linalg.lapack import dposv

    damping, scatter, prior = DAMPING, Scatter(shape.runs, variances), with_variances(named, shape, variances)
    for _ in range(steps):
        point = linearise(shape, noise, theta, shifts)
        here = quadratic(scatter, prior, point, theta)
        response = point.residual + point.mean.fitted  # (R, n), displacements taken off
        for _ in range(10):
            curvature = here.information.copy()
            curvature.flat[:: len(theta) + 1] += (1 + damping) * prior.precision
            _, step, indefinite = dposv(curvature.T, here.gradient, lower=1, overwrite_a=1)
            step *= min(1.0, LARGEST_STEP / float(np.abs(step[:NAMED]).max()))
            trial = theta + step
            fitted = shape(trial, shifts).fitted
            residual = np.where(shape.runs.mask, response - fitted, 0.0)
            whitened = here.whiten(residual[..., None])  # (R, n, 1)
            objective = 0.5 * (whitened**2).sum()
            objective += 0.5 * (prior.precision * (trial - prior.mean) ** 2).sum()
            objective -= float(np.sum(prior.tilt * (trial - theta)))
            if not indefinite and np.isfinite(objective) and objective <= here.objective:
                break
            damping = max(10 * damping, 1e-7)
        else:
            return theta, shifts
        theta, damping = trial, damping / 10
        towards = here.whiten.back(whitened)[..., 0]  # (R, n)
        predicted = -variances.run_shift * np.einsum("rn,rn->r", point.mean.shift_slope, towards)
        shifts = (1 - RELAXED) * shifts + RELAXED * np.clip(predicted, -LARGEST_SHIFT, LARGEST_SHIFT)
        if here.objective - objective < enough:
            break
    return theta, shifts
