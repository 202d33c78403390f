"""Do the laws hold? One verdict from stated tests, with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from normlaw_plugins.protocols.envelope_model.depth import STRONG, Depth
from normlaw_plugins.protocols.student import difference_test
from normlaw_registry import AnalysisWarning, Estimate
from normlaw_registry.findings import Verdict

LEVEL = 0.05
"""Error rate of the two tests by p-value together: each has half of it (Bonferroni)."""
RELEVANT = 0.25
"""Part of gamma_meas that gamma_0 or delta must amount to before it makes the laws fail: on exact curves of
solvable models, which have corrections to scaling and no noise, everything is significant."""
VERY_STRONG = 5.0
"""Logarithm of the Bayes factor (150) from which evidence is very strong (Kass and Raftery 1995), as it must be
before laws fail by the depth of departures; strong (`STRONG`) is enough before a departure counts as seen."""


@dataclass(frozen=True)
class Judged:
    """The verdict and what it rests on."""

    verdict: Verdict
    reasons: tuple[AnalysisWarning, ...]


def difference_of(
    predicted: Estimate, measured: Estimate, covariance: float, freedom: float
) -> dict[str, float]:
    """Return gamma_pred - gamma_meas with its joint uncertainty and a test of 0, by Student's t.

    Args:
        predicted: gamma_pred.
        measured: gamma_meas.
        covariance: of the two, from what each run moves both; a positive one would make the difference surer
            than its parts, and rests on few runs, so that it is not counted in the test.
        freedom: the smaller of the two degrees of freedom.

    """
    difference = predicted.value - measured.value
    counted = min(covariance, 0.0)
    stderr = float(np.sqrt(predicted.stderr**2 + measured.stderr**2 - 2 * counted))
    return {**difference_test(difference, stderr, freedom), "freedom": freedom}


def judge(
    gamma_0: Estimate,
    predicted: Estimate,
    measured: Estimate,
    difference: dict[str, Any],
    depth: Depth,
    evidence_of_departure: float,
    departed: int,
    enveloped: int,
    sizes: int,
) -> Judged:
    """Return whether the laws hold.

    They fail where gamma_pred differs from gamma_meas, where departures of other train sizes are not the same
    but for their norm (delta is not 0, by test, by its size, and by very strong evidence that rests on no one
    train size), or where curves of larger train sizes lie above those of smaller ones at the same norm
    (gamma_0 < 0). They cannot be judged where no curve, or those of fewer than three sizes, left the envelope,
    where fewer than three have a stretch of envelope before they leave it, or where the data would not tell
    gamma_pred from 0.

    Args:
        gamma_0: with a one-sided test of gamma_0 < 0.
        predicted: gamma_pred.
        measured: gamma_meas.
        difference: what `difference_of` returns.
        depth: delta, by which the laws' gamma_pred would miss the endpoint law, and the evidence for it.
        evidence_of_departure: ln of the Bayes factor of the model against one without departures.
        departed: how many train sizes reached their departure norm.
        enveloped: how many of them have a stretch of curve before it.
        sizes: how many there are.

    """
    from scipy import stats

    if not np.isfinite(predicted.value) or evidence_of_departure < STRONG:
        return _unsure(
            "no_departure",
            "no curve leaves the envelope: gamma_2 and what follows from it cannot be measured; train longer, "
            "or smaller train sizes",
        )
    if departed < min(3, sizes):
        return _unsure(
            "few_departures",
            f"only {departed} of {sizes} train sizes reached the norm at which they leave the envelope: train "
            "longer, or add smaller train sizes",
        )
    if enveloped < min(3, sizes):
        return _unsure(
            "no_envelope",
            f"only {enveloped} of {sizes} train sizes have a stretch of curve before they leave the envelope: "
            "departures lie at the first norms measured; begin with smaller weights, measure earlier, or take "
            "smaller batches or a smaller learning rate, so that a training set is not used up while the norm "
            "has hardly grown",
        )
    freedom = difference["freedom"]
    failures = []
    if difference["p_value"] < LEVEL / 2:
        failures.append(
            AnalysisWarning(
                code="laws_disagree",
                message=f"gamma_pred - gamma_meas = {difference['difference']:.3f} ± "
                f"{difference['stderr']:.3f} (p = {difference['p_value']:.2g}): envelope and "
                "departure do not explain the endpoint law",
            )
        )
    least = RELEVANT * abs(measured.value)
    evident = depth.log_bayes_factor > VERY_STRONG and depth.log_bayes_factor_without > STRONG
    if evident and depth.p_value < LEVEL / 2 and abs(depth.value) > least:
        failures.append(
            AnalysisWarning(
                code="departures_differ",
                message="departures change with P by more than their norm: least errors go as "
                f"P^-(gamma_pred - delta), delta = {depth.value:.3f} ± {depth.stderr:.3f}, "
                f"ln of the Bayes factor {depth.log_bayes_factor:.1f}, and at least "
                f"{depth.log_bayes_factor_without:.1f} without any one train size",
            )
        )
    rises = float(stats.t.cdf(gamma_0.value / gamma_0.stderr, freedom)) if gamma_0.stderr > 0 else 0.5
    if rises < LEVEL / 2 and gamma_0.value < -least:
        failures.append(
            AnalysisWarning(
                code="envelope_rises",
                message=f"gamma_0 = {gamma_0.value:.3f} ± {gamma_0.stderr:.3f} (p = {rises:.2g}): at the "
                "same norm larger train sizes have larger errors, so that they share no envelope",
            )
        )
    if failures:
        return Judged("fail", tuple(failures))
    half = difference["stderr"] * float(stats.t.ppf(1 - LEVEL / 2, freedom))
    if not half <= abs(measured.value) or predicted.low <= 0 <= predicted.high:
        return _unsure(
            "too_uncertain",
            f"gamma_pred = {predicted.value:.3f}, {predicted.low:.3f} to {predicted.high:.3f}: agreement and "
            "contradiction look alike; add seeds, or train sizes further apart",
        )
    return Judged(
        "hold",
        (
            AnalysisWarning(
                code="laws_agree",
                message=f"gamma_pred - gamma_meas = {difference['difference']:.3f} ± "
                f"{difference['stderr']:.3f} (p = {difference['p_value']:.2g}), and gamma_pred is not 0",
            ),
        ),
    )


def norm_falls() -> Judged:
    """Return what is said in place of other advice where most norms fall while a network trains."""
    return _unsure(
        "norm_falls",
        "the norm falls during training, and the laws are about one that grows: longer training or more train "
        "sizes would not tell; take another norm, or less weight decay",
    )


def _unsure(code: str, message: str) -> Judged:
    return Judged("cannot_tell", (AnalysisWarning(code=code, message=message),))
