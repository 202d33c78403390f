"""The search: fits from several starts, with one envelope for all sizes and without, and the best's rivals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from normlaw_plugins.protocols.envelope_model.fitting import (
    COMPARED,
    Fit,
    at_mode,
    newton,
    with_better_variances,
)
from normlaw_plugins.protocols.envelope_model.likelihood import Gaussian
from normlaw_plugins.protocols.envelope_model.noise import Noise, noise_of
from normlaw_plugins.protocols.envelope_model.parameters import GAMMA_0
from normlaw_plugins.protocols.envelope_model.priors import FREE, SAME, Variances, start_of
from normlaw_plugins.protocols.envelope_model.runs import Floats, Runs
from normlaw_plugins.protocols.envelope_model.shape import Shape

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
    rivals = [one for one in (rival, *optima[1:]) if one.evidence > optima[0].evidence - RIVALS]
    settled = [at_mode(one, COMPARED) for one in (optima[0], *rivals)]
    first, *others = sorted(settled, key=_evidence, reverse=True)
    return replace(first, rivals=tuple(others))


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
    return at_mode(replace(f, named=named))


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
        fitted = f.shape(f.theta, f.run_shifts).fitted
        curves = np.where(f.runs.mask, fitted, 0.0)[..., None]  # (R, n, 1)
        if all((at.whiten(curves - other) ** 2).sum() >= SAME_CURVES for _, other, at in kept):
            kept.append((f, curves, f.at_hand))
    return [f for f, _, _ in kept]


def on_all_runs(few: Fit, runs: Runs) -> Fit:
    """Return the fit of a part carried on to all runs, with the part's variances."""
    return at_mode(replace(few, runs=runs, shape=few.shape.for_runs(runs), run_shifts=np.zeros(len(runs.x))))


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
    theta, shifts = newton(shape, noise, theta, shifts, variances, named, steps=100)
    return Fit(runs, shape, noise, variances, named, theta, shifts, -np.inf)
