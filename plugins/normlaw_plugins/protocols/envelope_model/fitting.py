"""The fit: Newton's method for the parameters, evidence for the variances, from several starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from normlaw_plugins.protocols.envelope_model.evidence import climb
from normlaw_plugins.protocols.envelope_model.likelihood import (
    Gaussian,
    Linearised,
    Scatter,
    gaussian,
    linearise,
    quadratic,
)
from normlaw_plugins.protocols.envelope_model.noise import Noise, noise_of
from normlaw_plugins.protocols.envelope_model.priors import (
    FREE,
    SAME,
    Prior,
    Variances,
    start_of,
    with_variances,
)
from normlaw_plugins.protocols.envelope_model.runs import Floats, Runs
from normlaw_plugins.protocols.envelope_model.saturation import ends_of
from normlaw_plugins.protocols.envelope_model.shape import GAMMA_0, NAMED, Shape

MOST_RUNS = 64
"""Variances are chosen on at most so many runs, evenly from all sizes: they are known well enough then."""
STARTS = (1.0, 3.0, 5.0)
"""First guesses of how far departures move over the train sizes, in units of x."""
SAME_CURVES = 1.0
"""Squared distance of fitted curves, in standard deviations of the data, below which they are one."""
NEARLY_STRAIGHT = 1e-4
"""Variance of the corrections of a start almost without them."""
FIRST_ROUNDS = 2
"""Rounds after which the better of two starts is gone on with."""
RIVALS = 10.0
"""Of ln evidence: what has less by more plays no part."""
ENOUGH = 0.1
"""Change of ln evidence from round to round at which variances are found."""
ROUGHLY, SETTLED = 1e-2, 1e-5
"""Gains of ln posterior density below which Newton's steps end: between choices of variances, and last."""
DAMPING = 1e-3
"""Multiple of the prior's precision by which the first step is damped."""
RELAXED = 0.5
"""Part of the way that a run's displacement goes in one step."""
LARGEST_STEP = 0.7
"""Of a named parameter in one Newton step."""
LARGEST_SHIFT = 0.6
"""Of a run's departure, in units of x."""


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


def fit(runs: Runs) -> Fit:
    """Return the fit of the largest evidence, of all starts, with one envelope for all sizes and without."""
    noise = noise_of(runs)
    begun = {
        deviation: [with_better_variances(one, FIRST_ROUNDS) for one in _starts(runs, noise, deviation)]
        for deviation in (SAME, FREE)
    }
    same, free = (max(begun[deviation], key=_evidence) for deviation in (SAME, FREE))
    pairs = ((same, _with_prior(free, SAME)), (free, _with_prior(same, FREE)))  # what one has found serves both
    rival, best = sorted((with_better_variances(max(pair, key=_evidence)) for pair in pairs), key=_evidence)
    optima = _optima(best, begun[SAME] + begun[FREE])
    return replace(optima[0], rivals=(rival, *optima[1:]))


def _optima(best: Fit, begun: list[Fit]) -> list[Fit]:
    """Return the optima of the evidence with the prior of gamma_0 of the best fit, the most probable first.

    Of what was begun those are climbed to their ends that may matter beside the best.
    """
    near = [one for one in begun if one.evidence > best.evidence - RIVALS and one.has_prior_of(best)]
    different = [one for one in _apart([best, *near]) if one is not best]
    ends = [with_better_variances(one) for one in different]
    return sorted(_apart([best, *ends]), key=_evidence, reverse=True)


def _evidence(fit: Fit) -> float:
    return fit.evidence


def _with_prior(f: Fit, deviation: float) -> Fit:
    """Return a fit with another prior of gamma_0, at the same variances."""
    named = replace(f.named, precision=f.named.precision.copy())
    named.precision[GAMMA_0] = deviation**-2.0
    return settle(replace(f, named=named))


def _starts(runs: Runs, noise: Noise, deviation: float) -> list[Fit]:
    """Return fits to begin at: each guess of gamma_2 that leads elsewhere, and one almost without corrections.

    Evidence often has an optimum with corrections and one without, and no climb leads from one to the other.
    Where sizes have one run each (exact curves, means of many runs) an optimum may be so narrow that no guess
    leads to it but the slope of the norms of the least errors, to which such curves are close.
    """
    at = [_from_start(runs, noise, guess / runs.span, deviation) for guess in STARTS]
    straight = [STARTS[1] / runs.span]
    if runs.single:
        straight.append(runs.slope_of_least)
    return [*_apart(at), *(_from_start(runs, noise, guess, deviation, NEARLY_STRAIGHT) for guess in straight)]


def _apart(begun: list[Fit]) -> list[Fit]:
    """Return the fits of different curves only, the most probable of each: guesses often lead to one place."""
    kept: list[tuple[Fit, Floats, Gaussian]] = []
    for f in sorted(begun, key=lambda one: -one.at_hand.evidence()):
        fitted = f.shape(f.theta, f.run_shifts, derivatives=False).fitted
        curves = np.where(f.runs.mask, fitted, 0.0)[..., None]  # (R, n, 1)
        if all((at.whiten(curves - other) ** 2).sum() >= SAME_CURVES for _, other, at in kept):
            kept.append((f, curves, f.at_hand))
    return [f for f, _, _ in kept]


def on_all_runs(few: Fit, runs: Runs) -> Fit:
    """Return the fit of a part carried on to all runs, with the part's variances."""
    return settle(
        replace(few, runs=runs, shape=few.shape.for_runs(runs), run_shifts=np.zeros(len(runs.x))), steps=12
    )


def _from_start(
    runs: Runs, noise: Noise, gamma_2: float, deviation: float, corrections: float | None = None
) -> Fit:
    shape = Shape(runs, (-1 / runs.span, max(1.5 * gamma_2, gamma_2 + 3 / runs.span)))
    theta, named = start_of(runs, shape, gamma_2)
    named.precision[GAMMA_0] = deviation**-2.0
    variances = Variances(drift=max(1e-4, float(noise.variance(runs.log_error[runs.mask]).mean())))
    if corrections is not None:
        variances = replace(variances, correction_g=corrections, correction_h=corrections)
    if runs.single:  # what a run and a size have of their own cannot be told apart: it counts as the size's
        variances = replace(variances, run_offset=1e-10, run_shift=1e-10)
    shifts = np.zeros(len(runs.x))
    theta, shifts = newton(shape, noise, theta, shifts, variances, named, steps=30)
    return Fit(runs, shape, noise, variances, named, theta, shifts, -np.inf)


def with_better_variances(begun: Fit, rounds: int = 20) -> Fit:
    """Return the fit at the variances of the largest evidence, climbed to from those it has.

    Variances are chosen about the parameters at hand, and parameters then fitted again, in turn."""
    f, last = begun, -np.inf
    fixed = ("run_offset", "run_shift") if f.runs.single else ()
    theta, shifts, variances = f.theta, f.run_shifts, f.variances
    for _ in range(rounds):
        point = linearise(f.shape, f.noise, theta, shifts)
        variances, value = climb(f.shape, point, theta, variances, f.named, fixed)
        theta, shifts = newton(f.shape, f.noise, theta, shifts, variances, f.named, 8, ROUGHLY, point)
        if abs(value - last) < ENOUGH:
            break
        last = value
    found = settle(replace(f, theta=theta, run_shifts=shifts, variances=variances))
    return begun if begun.evidence > found.evidence else found


def settle(begun: Fit, steps: int = 60) -> Fit:
    """Return the fit at the optimum of its variances."""
    f = begun
    theta, shifts = newton(f.shape, f.noise, f.theta, f.run_shifts, f.variances, f.named, steps, enough=SETTLED)
    f = replace(f, theta=theta, run_shifts=shifts)
    settled = quadratic_of(f)
    return replace(f, settled=settled, evidence=settled.evidence())


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
    begin: Linearised | None = None,
) -> tuple[Floats, Floats]:
    """Return parameters and runs' displacements at the largest posterior density.

    Gauss and Newton's steps, damped in the metric of the prior (Levenberg): the directions that data leave open
    are those in which a step may go too far. `begin` is the model about the parameters, where it is at hand.
    """
    damping, scatter, prior = DAMPING, Scatter(shape.runs, variances), with_variances(named, shape, variances)
    for _ in range(steps):
        point, begin = begin or linearise(shape, noise, theta, shifts), None
        here = quadratic(scatter, prior, point, theta)
        response = point.residual + point.mean.fitted  # (R, n), displacements taken off
        for _ in range(10):
            curvature = here.information + np.diag((1 + damping) * prior.precision)
            step = np.linalg.solve(curvature, here.gradient)
            step *= min(1.0, LARGEST_STEP / float(np.abs(step[:NAMED]).max()))
            trial = theta + step
            fitted = shape(trial, shifts, derivatives=False).fitted
            residual = np.where(shape.runs.mask, response - fitted, 0.0)
            whitened = here.whiten(residual[..., None])  # (R, n, 1)
            objective = 0.5 * (whitened**2).sum()
            objective += 0.5 * (prior.precision * (trial - prior.mean) ** 2).sum()
            if np.isfinite(objective) and objective <= here.objective:
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
