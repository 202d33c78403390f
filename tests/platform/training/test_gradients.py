from __future__ import annotations

import torch
from torch import Tensor, nn

from normlaw.training.gradients import add_gradients


def test_they_are_those_of_torchs_backward_pass_and_added() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))
    inputs, labels = torch.randn(4, 5), torch.tensor([0, 2, 1, 2])

    def taken(twice: bool, told: bool) -> list[Tensor | None]:
        network.zero_grad()
        for _ in range(1 + twice):
            loss = nn.functional.cross_entropy(network(inputs), labels)
            loss.backward() if told else add_gradients(loss)
        return [weight.grad for weight in network.parameters()]

    for twice in (False, True):
        for mine, torchs in zip(taken(twice, told=False), taken(twice, told=True), strict=True):
            assert mine is not None
            assert torchs is not None
            assert mine.any()
            assert torch.equal(mine, torchs)
