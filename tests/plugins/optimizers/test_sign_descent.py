"""Sign descent by hand."""

from __future__ import annotations

import pytest
import torch

from normlaw_registry import Optimizer, load_catalogue


def steps(momentum: float, decay: float, *gradients: float) -> list[float]:
    component = load_catalogue().get(Optimizer, "sign_descent")
    weight = torch.tensor([1.0], requires_grad=True)
    built = component.build(component.params.model_validate({"momentum": momentum}), {"w": weight}, 0.1, decay)
    found = []
    for gradient in gradients:
        weight.grad = torch.tensor([gradient])
        built.step()
        found.append(weight.item())
    return found


def test_every_step_is_as_long_as_the_rate() -> None:
    assert steps(0.0, 0.0, 3.0, 1e-6, -7.0) == pytest.approx([0.9, 0.8, 0.9])


def test_momentum_averages_gradients_and_decay_is_decoupled() -> None:
    # the averages are 0.3, 0.2 and -0.33 times 3
    assert steps(0.9, 0.0, 3.0, -1.0, -3.0) == pytest.approx([0.9, 0.8, 0.9])
    assert steps(0.0, 0.5, 3.0) == pytest.approx([1.0 * (1 - 0.05) - 0.1])
