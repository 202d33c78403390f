"""Simulated studies with known exponents: do the intervals cover as often as they say?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from normlaw.analysis import EXPONENTS, Options, analyse
from normlaw_registry import InputError

STUDIES = 100
SHAPES = ("turn", "kink", "sum", "turn")
AGAINST_RELEASED = 30


def draw(number, make_study):
    """Return a study with exponents, noise, seeds, sizes and shape drawn at random, and its exponents."""
    rng = np.random.default_rng(number)
    gamma_1, gamma_2 = rng.uniform(0.15, 0.7), rng.uniform(0.6, 1.4)
    study = make_study(
        shape=SHAPES[number % len(SHAPES)],
        gamma_1=gamma_1,
        gamma_2=gamma_2,
        sizes=tuple(np.geomspace(1000, rng.choice([16_000, 64_000]), rng.integers(5, 8)).astype(int)),
        seeds=int(rng.integers(3, 6)),
        points=int(rng.integers(35, 50)),
        noise=float(np.exp(rng.uniform(np.log(0.003), np.log(0.03)))),
        seed_offset=rng.uniform(0, 0.03),
        optimum_scatter=rng.uniform(0.03, 0.2),
        rise=rng.uniform(0.3, 1.5),
        reach=rng.uniform(5, 8),
        generator=rng,
    )
    pred = gamma_1 * gamma_2
    return study, {"gamma_1": gamma_1, "gamma_2": gamma_2, "gamma_pred": pred, "gamma_meas": pred}, rng


def released_by_hand(study, table, catalogue, rng):
    """Return the released protocol's exponents with one admissible window drawn at random."""
    while True:
        choice = table.iloc[rng.integers(len(table))]
        options = Options(
            protocol="released",
            window=(float(np.exp(choice["low"])), float(np.exp(choice["high"]))),
            first_index=int((np.sort(study["train_size"].unique()) < choice["first_train_size"]).sum()),
        )
        try:
            return analyse(study, catalogue, options)
        except InputError:
            continue  # too few points of a mean curve in this window


@pytest.fixture(scope="module")
def outcomes(make_study, catalogue):
    rows = []
    for number in range(STUDIES):
        study, truth, rng = draw(number, make_study)
        analysis = analyse(study, catalogue, Options(protocol="automatic", draws=100))
        row = {}
        for name, estimate in analysis.estimates().items():
            row[f"covered {name}"] = estimate.low <= truth[name] <= estimate.high
            row[f"error {name}"] = abs(estimate.value - truth[name])
        if number < AGAINST_RELEASED:
            by_hand = released_by_hand(study, analysis.tables()["sensitivity"], catalogue, rng)
            for name in ("gamma_1", "gamma_pred"):
                row[f"by hand {name}"] = abs(by_hand.estimates()[name].value - truth[name])
        rows.append(row)
    return pd.DataFrame(rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPONENTS)
def test_intervals_cover_as_often_as_they_say(outcomes, name):
    assert 0.90 <= outcomes[f"covered {name}"].mean() <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gamma_1", "gamma_pred"])
def test_at_most_half_the_error_of_a_window_chosen_by_hand(outcomes, name):
    some = outcomes.head(AGAINST_RELEASED)
    assert some[f"error {name}"].median() <= 0.5 * some[f"by hand {name}"].median()
