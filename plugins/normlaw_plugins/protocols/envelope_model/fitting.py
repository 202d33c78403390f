"""The fit: Newton's method for the parameters, evidence for the variances, from several starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from normlaw_plugins.protocols.envelope_model.likelihood import Gaussian, gaussian, linearise
from normlaw_plugins.protocols.envelope_model.noise import Noise, noise_of
from normlaw_plugins.protocols.envelope_model.priors import FREE, SAME, Prior, Variances, start_of
from normlaw_plugins.protocols.envelope_model.runs import Floats, Runs
from normlaw_plugins.protocols.envelope_model.shape import GAMMA_0, NAMED, Shape

MOST_RUNS = 64
"""Variances are chosen on at most so many runs, evenly from all sizes: they are known well enough then."""
STARTS = (1.0, 3.0)
"""First guesses of how far departures move over the train sizes, in units of x."""
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
    quadratic: Gaussian

    @cached_property
    def posterior(self) -> Floats:
        """Covariance of the parameters, (K, K): scatter, and what smoothing leaves open (Wahba 1983)."""
        return np.asarray(np.linalg.inv(self.quadratic.curvature), dtype=np.float64)


def fit(runs: Runs) -> Fit:
    """Return the fit of the largest evidence, of all starts, with one envelope for all sizes and without."""
    noise = noise_of(runs)
    candidates = [
        _from_start(runs, noise, guess / runs.span, deviation) for guess in STARTS for deviation in (SAME, FREE)
    ]
    return max(candidates, key=lambda candidate: candidate.evidence)


def on_all_runs(few: Fit, runs: Runs) -> Fit:
    """Return the fit of a part carried on to all runs, with the part's variances."""
    return settle(
        replace(few, runs=runs, shape=few.shape.for_runs(runs), run_shifts=np.zeros(len(runs.x))), steps=12
    )


def _from_start(runs: Runs, noise: Noise, gamma_2: float, deviation: float) -> Fit:
    shape = Shape(runs, (-1 / runs.span, max(1.5 * gamma_2, gamma_2 + 3 / runs.span)))
    theta, named = start_of(runs, shape, gamma_2)
    named.precision[GAMMA_0] = deviation**-2.0
    variances = Variances(drift=max(1e-4, float(noise.variance(runs.log_error[runs.mask]).mean())))
    if runs.single:  # what a run and a size have of their own cannot be told apart: it counts as the size's
        variances = replace(variances, run_offset=1e-10, run_shift=1e-10)
    shifts = np.zeros(len(runs.x))
    theta, shifts = newton(shape, noise, theta, shifts, variances, named, steps=30)
    factors = {name: np.log(1.5 if name == "noise" else 6.0) for name in variances.names()}
    begun = Fit(runs, shape, noise, variances, named, theta, shifts, -np.inf, _quadratic_of_nothing())
    return with_better_variances(begun, factors)


def with_better_variances(begun: Fit, factors: dict[str, float] | None = None, sweeps: int = 10) -> Fit:
    """Return the fit at the variances of the largest evidence, searched one by one from those it has."""
    f = begun
    theta, shifts, variances, last = f.theta, f.run_shifts, f.variances, -np.inf
    factors = factors or {name: np.log(2.0) for name in variances.names()}
    for sweep in range(sweeps):
        variances, value = _better_variances(f.shape, f.noise, theta, shifts, variances, f.named, factors)
        theta, shifts = newton(f.shape, f.noise, theta, shifts, variances, f.named, steps=8, enough=1e-2)
        if value - last < 0.1 and sweep > 2:
            break
        last = value
    return settle(replace(f, theta=theta, run_shifts=shifts, variances=variances))


def settle(begun: Fit, steps: int = 60) -> Fit:
    """Return the fit at the optimum of its variances."""
    f = begun
    theta, shifts = newton(f.shape, f.noise, f.theta, f.run_shifts, f.variances, f.named, steps, enough=1e-5)
    point = linearise(f.shape, f.noise, theta, shifts)
    quadratic = gaussian(f.shape, point, theta, f.variances, f.named)
    return replace(f, theta=theta, run_shifts=shifts, quadratic=quadratic, evidence=quadratic.evidence())


def _quadratic_of_nothing() -> Gaussian:
    empty = np.empty(0)
    return Gaussian(empty, empty, empty, Prior(empty, empty), empty, 0.0, 0.0)


def _better_variances(
    shape: Shape,
    noise: Noise,
    theta: Floats,
    shifts: Floats,
    variances: Variances,
    named: Prior,
    factors: dict[str, float],
) -> tuple[Variances, float]:
    """Return variances one by one multiplied or divided where evidence grows, and the evidence."""
    point = linearise(shape, noise, theta, shifts)
    value = gaussian(shape, point, theta, variances, named).evidence()
    for name, factor in list(factors.items()):
        if shape.runs.single and name.startswith("run_"):
            continue
        low, high = variances.LIMITS[name]
        for sign in (1, -1):
            changed = getattr(variances, name) * float(np.exp(sign * factor))
            if not low <= changed <= high:
                continue
            other = replace(variances, **{name: changed})
            trial = gaussian(shape, point, theta, other, named).evidence()
            if trial > value + 1e-3:
                variances, value = other, trial
                break
        else:
            factors[name] /= 2
    return variances, value


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
    damping = 1e-3
    for _ in range(steps):
        point = linearise(shape, noise, theta, shifts)
        here = gaussian(shape, point, theta, variances, named)
        response = point.residual + point.mean.fitted  # (R, n), displacements taken off
        for _ in range(10):
            curvature = here.curvature + damping * np.diag(here.prior.precision)
            step = np.linalg.solve(curvature, here.gradient)
            step *= min(1.0, LARGEST_STEP / float(np.abs(step[:NAMED]).max()))
            trial = theta + step
            fitted = shape(trial, shifts, derivatives=False).fitted
            residual = np.where(shape.runs.mask, response - fitted, 0.0)
            whitened = np.linalg.solve(here.root, residual[..., None])[..., 0]
            objective = 0.5 * (whitened**2).sum()
            objective += 0.5 * (here.prior.precision * (trial - here.prior.mean) ** 2).sum()
            if np.isfinite(objective) and objective <= here.objective:
                break
            damping = max(10 * damping, 1e-7)
        else:
            return theta, shifts
        theta, damping = trial, damping / 10
        towards = np.linalg.solve(np.swapaxes(here.root, 1, 2), whitened[..., None])[..., 0]
        predicted = -variances.run_shift * np.einsum("rn,rn->r", point.mean.shift_slope, towards)
        shifts = 0.5 * shifts + 0.5 * np.clip(predicted, -LARGEST_SHIFT, LARGEST_SHIFT)
        if here.objective - objective < enough:
            break
    return theta, shifts
