"""The component `two_layer`: what it answers and what it refuses."""

from __future__ import annotations

import re

import numpy as np
import pytest

from normlaw_plugins.theories.two_layer import TWO_LAYER, TwoLayerParams
from normlaw_registry import InputError


def errors(alphas: list[float], **params) -> list[float]:
    points = TWO_LAYER.points(TwoLayerParams.model_validate(params), {"alpha": alphas})
    return [point["test_loss"] for point in points]


def test_what_else_is_asked_for_changes_nothing() -> None:
    """Few order parameters, and many: each has an integrator of its own."""
    for params in ({"L": 4}, {"L": 48, "N": 10_000}):
        together = errors([20.0, 0.0, 3.0, 9.0], **params)
        assert errors([9.0], **params)[0] == pytest.approx(together[3], rel=1e-6)
        assert errors([0.0], **params)[0] == pytest.approx(together[1], rel=1e-12)


def test_the_start_is_that_of_its_overlaps() -> None:
    (point,) = TWO_LAYER.points(TwoLayerParams(initial_size=0.5, initial_overlap=0.5), {"alpha": [0.0]})
    assert point["norm"] == pytest.approx(0.5 * 2**0.5)
    assert point["uncertainty"] == 0.0
    assert errors([0.0], initial_size=1.0, initial_overlap=1.0)[0] == pytest.approx(0.0, abs=1e-15)
    assert errors([10.0], initial_size=1.0, initial_overlap=1.0)[0] == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(InputError, match=re.escape("initial_size = 0.1 cannot overlap")):
        errors([1.0], initial_overlap=0.2)


def test_a_seed_is_a_start_of_its_own() -> None:
    first, again, other = errors([0.0, 5.0], seed=1), errors([0.0, 5.0], seed=1), errors([0.0, 5.0], seed=2)
    assert first == again
    assert first[0] != other[0]


@pytest.mark.parametrize("params", [{"K": 3}, {"activation": "linear"}, {"K": 1, "M": 1}])
def test_there_is_a_plateau_only_where_students_match_teachers(params) -> None:
    plateau = TWO_LAYER.compared["plateau"].value
    assert plateau(TwoLayerParams(), {}) == pytest.approx(0.0058054202, abs=5e-11)
    with pytest.raises(InputError, match="K = M > 1"):
        plateau(TwoLayerParams.model_validate(params), {})


def test_the_curve_rests_on_its_plateau() -> None:
    """Isotropic inputs and a small learning rate: within 2 % from alpha = 20/eta to 40/eta."""
    low, high = errors([400.0, 800.0], L=1, eta=0.05, seed=3, N=100_000)
    plateau = TWO_LAYER.compared["plateau"].value(TwoLayerParams(), {})
    assert low == pytest.approx(plateau, rel=0.06)
    assert high == pytest.approx(plateau, rel=0.06)


def test_a_spectrum_as_wide_as_the_inputs_is_refused() -> None:
    with pytest.raises(InputError, match=re.escape("eta lambda_1/N = 0.304 is not small")):
        errors([1.0], L=1000, beta=1.0, eta=0.5)


def test_an_error_that_has_almost_gone_is_followed_with_finer_steps() -> None:
    """Isotropic inputs: the last decay is exponential, so that its log falls by equal parts in equal times."""
    errors_of = np.log(errors([700.0, 800.0, 900.0, 1000.0], L=1))
    assert errors_of[-1] < np.log(1e-8)
    assert np.diff(errors_of) == pytest.approx([np.diff(errors_of).mean()] * 3, rel=0.02)
