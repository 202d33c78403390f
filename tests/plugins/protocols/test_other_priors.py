"""What other priors would change: by one step as by whole fits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from normlaw.analysis.curves import prepare
from normlaw_plugins.protocols.envelope_model import alternatives, exponents, fitting, other_priors
from normlaw_plugins.protocols.envelope_model.alternatives import Alternative, OneStep, Responses
from normlaw_plugins.protocols.envelope_model.fitting import Fit, at_mode
from normlaw_plugins.protocols.envelope_model.parameters import LOG_Q
from normlaw_plugins.protocols.envelope_model.runs import runs_of
from normlaw_plugins.protocols.envelope_model.search import fit
from normlaw_plugins.protocols.envelope_model.shape import LENGTH
from normlaw_tests.law_families import draw


@pytest.fixture(scope="module")
def repeated() -> Fit:
    """Return the fit of a study of several runs a train size."""
    return fit(runs_of(prepare(draw("small", 0)[0])[0]))


def test_another_correlation_length_leaves_the_curves_as_they_are(repeated) -> None:
    for length in (LENGTH / 2, 2 * LENGTH):
        other = other_priors._with_length(repeated, length).fit
        assert not np.allclose(other.theta[other.shape.g], repeated.theta[other.shape.g])
        before, after = (one.shape(one.theta).fitted for one in (repeated, other))
        assert np.allclose(before, after, atol=1e-9)


def test_what_one_step_passes_over_moves_no_exponent_by_much(repeated) -> None:
    at = exponents._at_departures(repeated)
    stderr, passed_over = np.sqrt(at.variances(repeated)), 0
    for pair in other_priors._alternatives(repeated):
        for other in pair:
            stepped = OneStep(repeated)(other).fit
            by_step, by_fit = (
                np.abs(exponents._exponents(one) - at.values) / stderr for one in (stepped, at_mode(other.fit))
            )
            if (by_step <= alternatives.WORTH_FITTING).all():
                passed_over += 1
                assert (by_fit <= 2 * alternatives.WORTH_FITTING).all()
    assert passed_over > 20  # of 36: else one step saves nothing


def test_an_unchanged_prior_changes_nothing(repeated) -> None:
    stepped = OneStep(repeated)(Alternative(replace(repeated)))
    assert np.allclose(stepped.fit.theta, repeated.theta, rtol=0, atol=1e-9)
    assert stepped.gained == 0


def test_a_prior_moves_its_parameter_by_its_share_of_what_is_known(repeated) -> None:
    pairs = list(other_priors._alternatives(repeated))
    first = len(pairs) - len(other_priors.MOVED) - 1  # widths come before means, the length behind them
    for (place, by), pair in zip(other_priors.MOVED.items(), pairs[first:], strict=False):
        share = repeated.posterior[place, place] * repeated.named.precision[place]
        for sign, other in zip((-1, 1), pair, strict=True):
            stepped = OneStep(repeated)(other).fit
            moved = (stepped.theta - repeated.theta)[place]
            assert moved == pytest.approx(sign * by * share, rel=1e-6)


def respond(repeated: Fit, worth: float) -> Responses:
    """Return how LOG_Q answers, of which a change by so much is worth a whole fit."""
    stderr = np.full(1, worth / alternatives.WORTH_FITTING)
    return Responses(repeated, repeated.theta[[LOG_Q]], stderr, lambda one: one.theta[[LOG_Q]])


@pytest.mark.parametrize("curves_a_size", ["several", "one"])
def test_the_larger_change_of_each_prior_is_added(repeated, curves_a_size) -> None:
    """Weighted by its evidence, but for one curve a size."""
    weighted = curves_a_size == "several"
    f = repeated
    if not weighted:
        curves = draw("small", 0)[0]
        f = fit(runs_of(prepare(curves[curves["seed"] == curves["seed"].min()])[0]))
    total, step = other_priors.variances_over_priors(f, respond(f, np.inf)), OneStep(f)
    by_hand = 0.0
    for pair in other_priors._alternatives(f):
        steps = [step(other) for other in pair]
        weights = [min(1.0, np.exp(one.gained)) if weighted else 1.0 for one in steps]
        changes = [one.fit.theta[LOG_Q] - f.theta[LOG_Q] for one in steps]
        by_hand += max(weight * change**2 for weight, change in zip(weights, changes, strict=True))
    assert total == pytest.approx([by_hand])
    assert by_hand > 0


@pytest.mark.parametrize("gone_elsewhere", [False, True])
def test_a_whole_fit_counts_unless_it_goes_to_another_place(repeated, monkeypatch, gone_elsewhere) -> None:
    """All fits are worth their time, and end far away."""

    def ended(other: Fit) -> Fit:
        evidence = repeated.evidence + (-1e3 if gone_elsewhere else 1e3)
        return replace(other, theta=other.theta + 100.0, evidence=evidence)

    monkeypatch.setattr(alternatives, "at_mode", ended)
    total = other_priors.variances_over_priors(repeated, respond(repeated, 0.0))
    assert (total > 1e4) == (not gone_elsewhere)


@pytest.mark.parametrize("name", ["correction_g", "size_shift"])
def test_a_step_to_other_variances_gains_what_the_evidence_of_a_whole_fit_does(
    repeated, name, monkeypatch
) -> None:
    monkeypatch.setattr(fitting, "AT_REST", 1e-3)
    begun = at_mode(repeated)
    other = replace(begun, variances=replace(begun.variances, **{name: 6 * getattr(begun.variances, name)}))
    gained = OneStep(begun)(Alternative(other)).gained
    assert gained == pytest.approx(at_mode(other).evidence - begun.evidence, abs=0.1)
    assert gained < -0.5
