"""A study may take the floor that its data set knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from normlaw.study.expansion import expand
from normlaw.study.known_floor import known_floor
from normlaw.study.study import Study
from normlaw_plugins.datasets.markov import MarkovParams, info
from normlaw_registry import Catalogue, InputError

CHAIN = {"name": "markov", "params": {"vocabulary": 4, "length": 5}}
Make = Callable[..., Study]


@pytest.fixture
def study() -> Make:
    def made(vary: dict[str, Any] | None = None, floor: Any = "dataset", **changes: Any) -> Study:
        return Study.model_validate(
            {
                "name": "chains",
                "analysis": {"response": "test_loss", "floor": floor},
                "fixed": {
                    "architecture": "gpt",
                    "dataset": CHAIN,
                    "steps": 5,
                    "seed": 0,
                    "measures": ["weight_norm"],
                    **changes,
                },
                "vary": {"train_size": [10, 20], **(vary or {})},
            }
        )

    return made


def test_it_is_the_entropy_rate_of_the_chain(study: Make, catalogue: Catalogue) -> None:
    one = study()
    floor = known_floor(expand(one, catalogue), catalogue)
    assert floor == info(MarkovParams(vocabulary=4, length=5)).loss_floor
    assert one.analysis is not None
    assert one.analysis.own(floor).floor == floor
    assert study(floor=0.5).analysis.own().floor == 0.5


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dataset": "digits", "architecture": "mlp"}, "analysis.floor: data set 'digits' knows no least loss"),
        ({"loss": "hinge"}, "the loss of the runs is another one"),
        ({"loss": {"name": "cross_entropy", "label_smoothing": 0.1}}, "the loss of the runs is another one"),
        ({"vary": {"dataset.params.chain": [0, 1]}}, "one for all runs, and their data have"),
    ],
)
def test_where_there_is_none_the_study_is_refused(
    study: Make, catalogue: Catalogue, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        expand(study(**changes), catalogue)


@pytest.mark.parametrize(
    ("analysis", "reason"),
    [
        ({"floor": "dataset"}, "give `response: test_loss` with it"),
        ({"response": "test_loss", "floor": "data"}, "a number of at least 0, or `dataset`"),
        ({"response": "test_loss", "floor": -1}, "a number of at least 0, got -1"),
    ],
)
def test_a_floor_is_a_number_or_that_of_the_data_set(study: Make, analysis: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Study.model_validate({**study().model_dump(), "analysis": analysis})
