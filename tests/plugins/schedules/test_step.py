"""The step schedule keeps the contract, and refuses milestones that mean nothing."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from normlaw_registry import Schedule, load_catalogue
from normlaw_registry.testing import check_component

STEP = load_catalogue().get(Schedule, "step")


def test_it_keeps_the_contract() -> None:
    check_component(STEP, params=STEP.params.model_validate({"milestones": [0.5, 0.75]}))


@pytest.mark.parametrize(
    ("milestones", "told"), [([], "needs `milestones`"), ([0.7, 0.5], "ascending"), ([1.5], "between 0 and 1")]
)
def test_milestones_are_ascending_fractions(milestones: list[float], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        STEP.params.model_validate({"milestones": milestones})
