"""The optimisers that train are torch's own, step by step."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from normlaw_registry import Optimizer, load_catalogue

OWN: dict[str, Any] = {
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1, fused=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, fused=True),
    "sgd": lambda p: torch.optim.SGD(p, lr=0.01, weight_decay=0.1, momentum=0.9),
}


def trained(make: Any, steps: int) -> tuple[list[torch.Tensor], Any]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2))
    optimizer = make(network.parameters())
    for step in range(steps):
        if step == 3:  # through a checkpoint
            state = optimizer.state_dict()
            optimizer = make(network.parameters())
            optimizer.load_state_dict(state)
        optimizer.zero_grad()
        network(torch.randn(4, 5)).square().sum().backward()
        optimizer.step()
    return [p.detach().clone() for p in network.parameters()], optimizer


@pytest.mark.parametrize("name", OWN)
def test_the_weights_are_those_of_torchs_own_optimiser_to_the_bit(name: str) -> None:
    component = load_catalogue().get(Optimizer, name)
    params = component.params.model_validate({"momentum": 0.9} if name == "sgd" else {})
    ours, optimizer = trained(
        lambda p: component.build(params, {str(n): w for n, w in enumerate(p)}, 0.01, 0.1), 6
    )
    theirs, own = trained(OWN[name], 6)
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert isinstance(optimizer, type(own))
    assert optimizer.state_dict()["param_groups"] == own.state_dict()["param_groups"]
    assert all(
        p.requires_grad and p.grad is not None for group in optimizer.param_groups for p in group["params"]
    )
