"""What other priors would change: by one step as by whole fits, weighted by its evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from normlaw.analysis.curves import prepare
from normlaw_plugins.protocols.envelope_model import exponents, other_priors
from normlaw_plugins.protocols.envelope_model.fitting import Fit, settle
from normlaw_plugins.protocols.envelope_model.runs import runs_of
from normlaw_plugins.protocols.envelope_model.search import fit
from normlaw_plugins.protocols.envelope_model.shape import LENGTH, LOG_Q
from normlaw_tests.law_families import draw


@pytest.fixture(scope="module")
def repeated() -> Fit:
    """Return the fit of a study of several runs a train size."""
    return fit(runs_of(prepare(draw("small", 0)[0])[0]))


def test_another_correlation_length_leaves_the_curves_as_they_are(repeated) -> None:
    for length in (LENGTH / 2, 2 * LENGTH):
        other = other_priors._with_length(repeated, length).fit
        assert not np.allclose(other.theta[other.shape.g], repeated.theta[other.shape.g])
        before, after = (one.shape(one.theta, derivatives=False).fitted for one in (repeated, other))
        assert np.allclose(before, after, atol=1e-9)


def test_what_one_step_passes_over_moves_no_exponent_by_much(repeated) -> None:
    at = exponents._at_departures(repeated)
    stderr, passed_over = np.sqrt(at.variances(repeated)), 0
    for pair in other_priors._alternatives(repeated):
        for other in pair:
            stepped, _ = other_priors.OneStep(repeated)(other)
            by_step, by_fit = (
                np.abs(exponents._exponents(one) - at.values) / stderr for one in (stepped, settle(other.fit))
            )
            if (by_step <= other_priors.WORTH_FITTING).all():
                passed_over += 1
                assert (by_fit <= 2 * other_priors.WORTH_FITTING).all()
    assert passed_over > 20  # of 36: else one step saves nothing


def test_an_unchanged_prior_changes_nothing(repeated) -> None:
    stepped, gained = other_priors.OneStep(repeated)(other_priors.Alternative(replace(repeated)))
    deviation = np.sqrt(np.diag(repeated.posterior))
    assert (np.abs(stepped.theta - repeated.theta) < 0.01 * deviation).all()  # Newton's steps had ended
    assert gained == 0


def test_a_prior_moves_its_parameter_by_its_share_of_what_is_known(repeated) -> None:
    pairs = list(other_priors._alternatives(repeated))
    first = len(pairs) - len(other_priors.MOVED) - 1  # widths come before means, the length behind them
    for (place, by), pair in zip(other_priors.MOVED.items(), pairs[first:], strict=False):
        share = repeated.posterior[place, place] * repeated.named.precision[place]
        still = repeated.posterior @ repeated.quadratic.gradient
        for sign, other in zip((-1, 1), pair, strict=True):
            stepped, _ = other_priors.OneStep(repeated)(other)
            moved = (stepped.theta - repeated.theta - still)[place]
            assert moved == pytest.approx(sign * by * share, rel=1e-6)


def test_what_two_alternatives_do_is_averaged_by_their_evidence(repeated) -> None:
    """Each prior adds the mean of two squares, none of them larger than the square itself."""
    value = np.array([float(repeated.theta[LOG_Q])])
    known = np.full(1, np.inf)  # no change is worth a whole fit
    total = other_priors.variances_over_priors(repeated, value, known, lambda one: one.theta[[LOG_Q]])
    by_hand = 0.0
    for pair in other_priors._alternatives(repeated):
        for stepped, gained in map(other_priors.OneStep(repeated), pair):
            by_hand += min(1.0, float(np.exp(gained))) * (stepped.theta[LOG_Q] - value[0]) ** 2 / 2
    assert total == pytest.approx([by_hand])
    assert by_hand > 0
