from __future__ import annotations

import math

import pytest
import torch

from normlaw.study.run_options import LossChoice
from normlaw.training.loss import MeanLoss, wrong
from normlaw_registry import load_catalogue


def mean_loss(logits: torch.Tensor, labels: torch.Tensor, loss: str) -> torch.Tensor:
    return MeanLoss(LossChoice.model_validate(loss), load_catalogue())(logits, labels)


def test_one_output_is_the_cross_entropy_of_f_and_minus_f() -> None:
    f = torch.linspace(-3, 3, 7, dtype=torch.float64)[:, None]  # (7, 1)
    labels = torch.tensor([0, 1, 0, 1, 1, 0, 1])
    two = torch.cat([-f, f], dim=1)  # (7, 2)
    expected = torch.nn.functional.cross_entropy(two, labels)
    assert mean_loss(f, labels, "cross_entropy").item() == pytest.approx(expected.item(), rel=1e-14)


def test_the_perceptrons_loss_is_the_papers() -> None:
    """-(lambda D - log 2cosh(lambda D)) with f = lambda D / y (paper, section on the perceptron)."""
    for margin in (-2.0, 0.3, 40.0, 900.0):
        paper = -margin + abs(margin) + math.log1p(math.exp(-2 * abs(margin)))
        f = torch.tensor([[margin]], dtype=torch.float64)
        assert mean_loss(f, torch.tensor([1]), "cross_entropy").item() == pytest.approx(
            paper, rel=1e-12, abs=1e-300
        )


def test_mse_is_the_squared_distance_from_the_label() -> None:
    assert mean_loss(torch.tensor([[0.5]]), torch.tensor([0]), "mse").item() == pytest.approx(2.25)
    logits = torch.tensor([[1.0, 0.0, 2.0]])
    assert mean_loss(logits, torch.tensor([0]), "mse").item() == pytest.approx(4 / 3)


def test_errors() -> None:
    assert wrong(torch.tensor([[0.1], [-0.1], [0.0]]), torch.tensor([1, 1, 1])).tolist() == [False, True, True]
    assert wrong(torch.tensor([[0.1, 0.2], [3.0, 1.0]]), torch.tensor([1, 1])).tolist() == [False, True]
