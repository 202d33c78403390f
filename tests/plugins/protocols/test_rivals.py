"""Exponents averaged over fits about as probable as the best one, against draws from their mixture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from normlaw.analysis.curves import prepare
from normlaw_plugins.protocols.envelope_model import exponents, parameters
from normlaw_plugins.protocols.envelope_model.fitting import Fit
from normlaw_plugins.protocols.envelope_model.runs import runs_of
from normlaw_plugins.protocols.envelope_model.search import fit
from normlaw_tests.law_families import draw


@pytest.fixture(scope="module")
def found() -> Fit:
    return fit(runs_of(prepare(draw("small", 0)[0])[0]))


def other_than(found: Fit, odds: float, **changed: float) -> Fit:
    """Return another optimum, of so many times the evidence, with some parameters changed by an amount."""
    theta = found.theta.copy()
    for name, change in changed.items():
        theta[getattr(parameters, name)] += change
    return replace(found, theta=theta, evidence=found.evidence + np.log(odds), rivals=())


@pytest.mark.parametrize("odds", [1.0, 0.25])
def test_rivals_count_by_their_odds(found, odds) -> None:
    rival = other_than(found, odds, LOG_GAMMA_1=0.1, GAMMA_0=0.05, GAMMA_2=0.2)
    chosen, other = exponents._at_departures(found), exponents._at_departures(rival)
    moved, added = exponents._averaged(replace(found, rivals=(rival,)), chosen)

    rng = np.random.default_rng(1)
    which = rng.random((400_000, 1)) < odds / (1 + odds)
    normal = rng.normal(size=(len(which), 5))
    one, two = (at.values + np.sqrt(at.variances(f)) * normal for at, f in ((chosen, found), (other, rival)))
    drawn = np.where(which, two, one)
    deviation = drawn.std(axis=0)
    assert (chosen.values + moved) / deviation == pytest.approx(drawn.mean(axis=0) / deviation, abs=0.01)
    variance = chosen.variances(found) + added
    assert variance / deviation**2 == pytest.approx(np.ones(5), rel=0.02)
    assert (np.abs(moved[:4]) > 0.1 * np.sqrt(chosen.variances(found)[:4])).all()  # there is what to see


def test_a_rival_without_departures_plays_no_part(found) -> None:
    lost = other_than(found, 1.0, LOG_A=-15.0)
    chosen = exponents._at_departures(found)
    moved, added = exponents._averaged(replace(found, rivals=(lost,)), chosen)
    assert moved[1:].tolist() == added[1:].tolist() == [0.0] * 4  # gamma_0 it has


def test_where_two_optima_are_as_probable_it_does_not_matter_which_one_is_called_best(found) -> None:
    rival = other_than(found, 1.0, GAMMA_0=0.05)
    one = exponents.exponents_of(*[replace(found, rivals=(rival,))] * 2)
    two = exponents.exponents_of(*[replace(rival, rivals=(replace(found, rivals=()),))] * 2)
    assert one.values == pytest.approx(two.values, rel=1e-9)
