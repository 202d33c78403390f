"""The component as the platform sees it: order, ranges, limits by name, messages."""

from __future__ import annotations

from math import exp, inf

import pytest

from normlaw_plugins.theories.perceptron import PERCEPTRON, PerceptronParams
from normlaw_registry import InputError, NormlawError

LOGISTIC = PerceptronParams()


def test_predictions_come_with_alphas_outermost_and_whole() -> None:
    found = PERCEPTRON.predict(LOGISTIC, [2.0, 0.5], [10.0, 0.1])
    assert [(p.alpha, p.norm) for p in found] == [(2.0, 10.0), (2.0, 0.1), (0.5, 10.0), (0.5, 0.1)]
    for p in found:
        assert set(p.order_parameters) == {"overlap", "chi", "ln_chi"}
        assert p.order_parameters["chi"] == pytest.approx(exp(p.order_parameters["ln_chi"]))
        assert 0.0 < p.error < 0.5
    assert PERCEPTRON.predict(LOGISTIC, [], [1.0]) == []


def test_chi_overflows_and_its_log_does_not() -> None:
    (found,) = PERCEPTRON.predict(LOGISTIC, [0.5], [1e4])
    assert found.order_parameters["chi"] == inf
    assert found.order_parameters["ln_chi"] > 2e4


@pytest.mark.parametrize(("alpha", "norm"), [(0.05, 1.0), (2e4, 1.0), (1.0, 1e-5), (1.0, 2e4), (1.0, -1.0)])
def test_values_outside_the_range_are_refused(alpha: float, norm: float) -> None:
    with pytest.raises(InputError, match="outside"):
        PERCEPTRON.predict(LOGISTIC, [1.0, alpha], [norm])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="alpha"):
        PERCEPTRON.predict(LOGISTIC, [value], [1.0])
    with pytest.raises(InputError, match="lambda"):
        PERCEPTRON.predict(LOGISTIC, [1.0], [value])


@pytest.mark.parametrize(("loss", "alpha", "norm"), [("hinge", 0.5, 1.0), ("square", 0.5, 2.0)])
def test_where_many_students_have_zero_loss_no_error_is_given(loss: str, alpha: float, norm: float) -> None:
    with pytest.raises(InputError, match=rf"{loss} loss, alpha = {alpha:g}, lambda = {norm:g}"):
        PERCEPTRON.predict(PerceptronParams(loss=loss), [alpha], [0.1, norm])


def test_an_unsolved_point_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from normlaw_plugins.theories.replica import saddle_point

    monkeypatch.setattr(saddle_point, "RESIDUAL_BOUND", 1e-30)
    with pytest.raises(NormlawError, match=r"alpha = 2, lambda = 3"):
        PERCEPTRON.predict(LOGISTIC, [2.0], [3.0])


def test_the_references_are_ordered_at_every_load() -> None:
    for alpha in (0.1, 1.0, 100.0):
        error = {name: reference(alpha) for name, reference in PERCEPTRON.references.items()}
        assert error["bayes_optimal"] < error["least_error"] < error["maximum_stability"] < error["gibbs"]
        assert error["least_error"] < error["hebb"]
    with pytest.raises(InputError, match="alpha"):
        PERCEPTRON.references["hebb"](-1.0)
