"""Losses against their definitions, example by example, and against other libraries."""

from __future__ import annotations

from math import exp, log1p
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import hinge_loss

from normlaw_registry import Loss, load_catalogue


def mean(name: str, outputs: Any, targets: Any, **params: float) -> float:
    loss = load_catalogue().get(Loss, name)
    outputs = torch.as_tensor(outputs, dtype=torch.float64)
    return float(loss.mean(loss.params.model_validate(params), outputs, torch.as_tensor(targets)))


RNG = np.random.default_rng(1)
OUTPUTS = RNG.normal(size=(20, 4))
CLASSES = np.arange(20) % 4


def test_smoothed_cross_entropy_is_that_of_smoothed_labels() -> None:
    told = 0.7 * np.eye(4)[CLASSES] + 0.3 / 4
    log_softmax = OUTPUTS - np.log(np.exp(OUTPUTS).sum(axis=1, keepdims=True))
    expected = -(told * log_softmax).sum(axis=1).mean()
    assert mean("cross_entropy", OUTPUTS, CLASSES, label_smoothing=0.3) == pytest.approx(expected)


def test_one_output_smoothed_is_two_outputs_smoothed() -> None:
    f, classes = OUTPUTS[:, :1], CLASSES % 2
    two = np.concatenate([-f, f], axis=1)
    for smoothing in (0.0, 0.2):
        one = mean("cross_entropy", f, classes, label_smoothing=smoothing)
        assert one == pytest.approx(mean("cross_entropy", two, classes, label_smoothing=smoothing))


def test_logistic_is_half_as_steep_as_cross_entropy_of_one_output() -> None:
    f, classes = OUTPUTS[:, :1], CLASSES % 2
    assert mean("logistic", 2 * f, classes) == pytest.approx(mean("cross_entropy", f, classes))
    expected = log1p(exp(-1.5)) + log1p(exp(-0.5)) + log1p(exp(2.0))
    assert mean("logistic", [[1.5, -0.5, 2.0]], [0]) == pytest.approx(expected)


def test_hinge_is_scikit_learns() -> None:
    assert mean("hinge", OUTPUTS, CLASSES) == pytest.approx(hinge_loss(CLASSES, OUTPUTS, labels=range(4)))
    f, classes = OUTPUTS[:, 0], CLASSES % 2
    assert mean("hinge", f[:, None], classes) == pytest.approx(hinge_loss(classes, f))
    assert mean("hinge", [[1.0, 0.0]], [0], margin=3.0) == pytest.approx(2.0)


def test_squared_takes_classes_and_real_numbers() -> None:
    expected = ((OUTPUTS - np.eye(4)[CLASSES]) ** 2).mean()
    assert mean("squared", OUTPUTS, CLASSES) == pytest.approx(expected)
    numbers = RNG.normal(size=20)
    assert mean("squared", OUTPUTS[:, :1], numbers) == pytest.approx(((OUTPUTS[:, 0] - numbers) ** 2).mean())
    assert mean("squared", OUTPUTS, np.tile(numbers[:, None], 4)) == pytest.approx(
        ((OUTPUTS - numbers[:, None]) ** 2).mean()
    )
