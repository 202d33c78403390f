"""Muon's step is orthogonal for matrices and filters, and AdamW's for the rest."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from normlaw_registry import InputError, Optimizer, load_catalogue

MUON = load_catalogue().get(Optimizer, "muon")


def built(weights: dict[str, Tensor], rate: float = 0.1, decay: float = 0.0, **params: Any) -> Any:
    return MUON.build(MUON.params.model_validate(params), weights, rate, decay)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_step_is_orthogonal_and_scaled_by_the_shape(layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    filters = torch.randn(12, 2, 2, 2).to(memory_format=layout).requires_grad_()  # 12 x 8 as a matrix
    matrix = torch.randn(5, 9).requires_grad_()
    before = {"filters": filters.detach().clone(), "matrix": matrix.detach().clone()}
    optimizer = built({"filters": filters, "matrix": matrix}, momentum=0.0, ns_steps=12)
    filters.grad, matrix.grad = torch.randn(12, 2, 2, 2), torch.randn(5, 9)
    gradients = [filters.grad.flatten(1), matrix.grad]
    optimizer.step()
    moved = [(before["filters"] - filters.detach()).flatten(1), before["matrix"] - matrix.detach()]
    for step, gradient, scale in zip(moved, gradients, ((12 / 8) ** 0.5, 1.0), strict=True):
        left, _, right = torch.linalg.svd(gradient, full_matrices=False)
        values = torch.linalg.svdvals(step) / (0.1 * scale)
        # Newton and Schulz bring singular values into [0.7, 1.2], and leave the singular vectors
        assert values.min() > 0.6
        assert values.max() < 1.3
        assert torch.nn.functional.cosine_similarity(step.flatten(), (left @ right).flatten(), dim=0) > 0.97


def test_torchs_own_muon_takes_the_same_steps_on_matrices_and_adamw_on_the_rest() -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(6, 4), nn.Linear(6, 4)
    theirs.load_state_dict(ours.state_dict())
    optimizer = built(dict(ours.named_parameters()), decay=0.2, rest_factor=0.5)
    own = [
        torch.optim.Muon([theirs.weight], lr=0.1, weight_decay=0.2),
        torch.optim.AdamW([theirs.bias], lr=0.05, weight_decay=0.2),
    ]
    for _ in range(3):
        inputs = torch.randn(8, 6)
        for network, steps in ((ours, [optimizer]), (theirs, own)):
            network.zero_grad()
            network(inputs).square().sum().backward()
            for each in steps:
                each.step()
    assert torch.equal(ours.weight, theirs.weight)
    assert torch.allclose(ours.bias, theirs.bias, rtol=1e-6)


def test_a_network_without_matrices_is_refused() -> None:
    with pytest.raises(InputError, match="no matrix"):
        built({"gain": torch.ones(3, requires_grad=True)})


def test_filters_whose_memory_is_otherwise_are_refused_by_torch_no_more_than_needed() -> None:
    whole = torch.randn(4, 3, 3).requires_grad_()  # of a convolution in one dimension: AdamW
    optimizer = built({"one_dimension": whole, "matrix": torch.randn(2, 2).requires_grad_()})
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 1]
