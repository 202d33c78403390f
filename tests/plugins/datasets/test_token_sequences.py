"""Chains, walks and equations: their laws, and the least loss that they say."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from normlaw_plugins.datasets.markov import MARKOV, MarkovParams, chain_of
from normlaw_plugins.datasets.modular_arithmetic import MODULAR_ARITHMETIC, ModularArithmeticParams, equations
from normlaw_plugins.datasets.random_walk import RANDOM_WALK, RandomWalkParams, degrees_and_transitions
from normlaw_plugins.datasets.token_chains import entropy_rate, stationary
from normlaw_registry import Dataset, LoadContext, Params
from normlaw_registry.testing import check_component

CHAINS: list[tuple[Dataset, Params]] = [
    (MARKOV, MarkovParams(vocabulary=6, length=9, test_size=4000)),
    (RANDOM_WALK, RandomWalkParams(vertices=12, degree=3.5, length=9, test_size=4000)),
]


def floor_of(dataset: Dataset, params: Params) -> float:
    assert dataset.info is not None
    floor = dataset.info(params).loss_floor
    assert floor is not None
    return floor


@pytest.mark.parametrize(
    ("dataset", "params"),
    [
        *CHAINS,
        (MODULAR_ARITHMETIC, ModularArithmeticParams(modulus=7)),
        (MODULAR_ARITHMETIC, ModularArithmeticParams(modulus=7, operation="divide")),
    ],
)
def test_it_keeps_the_contract(dataset: Dataset, params: Params) -> None:
    check_component(dataset, params=params, train_size=16)


def test_the_entropy_rate_of_two_states_is_that_of_paper_and_pencil() -> None:
    flip, flop = 0.2, 0.05
    transitions = np.array([[1 - flip, flip], [flop, 1 - flop]])
    start = stationary(transitions)
    assert start == pytest.approx([flop / (flip + flop), flip / (flip + flop)])

    def binary(p: float) -> float:
        return -p * log(p) - (1 - p) * log(1 - p)

    assert entropy_rate(transitions, start) == pytest.approx(0.2 * binary(flip) + 0.8 * binary(flop))


@pytest.mark.parametrize(("dataset", "params"), CHAINS)
def test_the_floor_is_the_loss_of_who_knows_the_chain(dataset: Dataset, params: Any, tmp_path: Any) -> None:
    """By simulation: the mean of -ln P over 36,000 tokens, within five standard errors; at each place, too."""
    transitions = (chain_of if dataset is MARKOV else degrees_and_transitions)(params)
    known = transitions[0] if dataset is MARKOV else transitions[1]
    test = dataset.load(params, LoadContext(seed=3, train_size=1, data_dir=tmp_path)).test
    losses = -np.log(known[test.inputs.numpy(), test.labels.numpy()])
    floor = floor_of(dataset, params)
    rows = losses.mean(axis=1)
    assert abs(rows.mean() - floor) < 5 * rows.std() / len(rows) ** 0.5
    spread = losses.std(axis=0) / len(rows) ** 0.5
    assert (abs(losses.mean(axis=0) - floor) < 5 * spread + 1e-12).all()


def test_the_closed_form_of_a_walk_is_the_entropy_rate_of_its_chain() -> None:
    params = RandomWalkParams(vertices=30, degree=5, graph=2)
    degrees, transitions = degrees_and_transitions(params)
    assert degrees.sum() == 30 * 5
    assert degrees.min() >= 2
    assert floor_of(RANDOM_WALK, params) == pytest.approx(entropy_rate(transitions, stationary(transitions)))
    assert stationary(transitions) == pytest.approx(degrees / degrees.sum())


def test_a_ring_has_two_ways_from_each_vertex() -> None:
    assert floor_of(RANDOM_WALK, RandomWalkParams(vertices=9, degree=2)) == pytest.approx(log(2))


def test_a_chain_has_a_number_and_runs_have_sequences_of_their_own(tmp_path: Any) -> None:
    one, other = (MarkovParams(vocabulary=4, length=5, chain=chain) for chain in (0, 1))
    assert floor_of(MARKOV, one) != floor_of(MARKOV, other)
    first, second = (
        MARKOV.load(one, LoadContext(seed=seed, train_size=50, data_dir=tmp_path)) for seed in (0, 1)
    )
    assert not first.train.inputs.equal(second.train.inputs)
    assert not first.train.inputs.equal(first.test.inputs[:50])


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        ("add", lambda a, b: a + b),
        ("subtract", lambda a, b: a - b),
        ("multiply", lambda a, b: a * b),
        ("divide", lambda a, b: a * pow(b, -1, 7)),
        ("square_sum", lambda a, b: a * a + a * b + b * b),
    ],
)
def test_equations_are_right_and_each_is_there_once(operation: Any, rule: Any) -> None:
    rows = equations(ModularArithmeticParams(modulus=7, operation=operation)).tolist()
    assert all(row[1] == 7 and row[3] == 8 and row[4] == rule(row[0], row[2]) % 7 for row in rows)
    divides = operation == "divide"
    assert {(row[0], row[2]) for row in rows} == {(a, b) for a in range(7) for b in range(divides, 7)}
    assert len(rows) == 7 * (7 - divides)


def test_training_and_test_equations_share_none(tmp_path: Any) -> None:
    params = ModularArithmeticParams(modulus=11, test_fraction=0.3)
    splits = MODULAR_ARITHMETIC.load(params, LoadContext(seed=0, train_size=1, data_dir=tmp_path))
    parts = [set(map(tuple, part.inputs.tolist())) for part in (splits.train, splits.test)]
    assert [len(part) for part in parts] == [85, 36]
    assert not parts[0] & parts[1]


@pytest.mark.parametrize(
    ("params", "values", "reason"),
    [
        (ModularArithmeticParams, {"modulus": 91}, "91 is none"),
        (RandomWalkParams, {"vertices": 5, "degree": 4.5}, "at most 4 neighbours"),
        (MarkovParams, {"concentration": 0}, "greater than 0"),
    ],
)
def test_parameters_that_make_no_data_are_refused(
    params: type[Params], values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        params(**values)
