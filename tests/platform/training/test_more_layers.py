"""Each rule's map is what the layer does: a matrix put together by applying the layer to a basis."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from normlaw.training.norms.singular_values import SingularValues
from normlaw_registry import LinearMap, Task
from normlaw_registry.linear import LinearMapPlan, trace_linear_maps
from normlaw_registry.linear.example import Example
from normlaw_registry.linear.more_rules import OWN_STATISTICS, TABLE


def matrix(layer: Any, shape: Sequence[int]) -> Tensor:
    """Return the linear part of a layer as a matrix (outputs, inputs), by applying it to a basis."""
    inputs = torch.Size(shape).numel()
    basis = torch.eye(inputs, dtype=torch.float64).reshape(inputs, *shape)
    with torch.no_grad():
        zero = layer(torch.zeros(1, *shape, dtype=torch.float64))
        return torch.cat([layer(unit[None]) - zero for unit in basis]).flatten(1).T


def maps(network: nn.Module, shape: tuple[int, ...]) -> list[LinearMap]:
    return trace_linear_maps(network, Task(input_shape=shape, num_classes=2))


TRANSPOSED = [
    (nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1), (4, 4, 3)),
    (nn.ConvTranspose2d(4, 6, (2, 3), stride=(2, 1), groups=2, dilation=(1, 2)), (4, 3, 4)),
    (nn.ConvTranspose2d(2, 3, 2, stride=2), (2, 5, 7)),  # patches that do not overlap
    (nn.ConvTranspose1d(3, 2, 4, stride=3, padding=2), (3, 7)),
]


@pytest.mark.parametrize(("layer", "shape"), TRANSPOSED, ids=str)
def test_a_transposed_convolution(layer: Any, shape: tuple[int, ...]) -> None:
    layer = layer.double()
    (found,) = maps(layer, shape)
    expected = matrix(layer, shape)
    assert torch.allclose(found.applied_matrix(), expected, atol=1e-14)
    ones = torch.ones_like(found.apply(torch.zeros(1, *shape, dtype=torch.float64)))
    assert torch.allclose(found.adjoint(ones).flatten(), expected.T.sum(1), atol=1e-12)
    norm = SingularValues().operator_norm(found)
    assert norm.log_value == pytest.approx(log(float(torch.linalg.matrix_norm(expected, 2))), abs=2e-7)
    assert found.weight.shape[:2] == (layer.out_channels, layer.in_channels // layer.groups)


def test_a_batch_norm_is_folded_into_a_transposed_convolution() -> None:
    network = nn.Sequential(nn.ConvTranspose2d(2, 3, 3, stride=2), nn.BatchNorm2d(3)).double().eval()
    nn.init.uniform_(network[1].get_parameter("weight"), 0.5, 2.0)
    nn.init.uniform_(network[1].get_buffer("running_var"), 0.5, 2.0)
    (found,) = maps(network, (2, 3, 3))
    assert torch.allclose(found.applied_matrix(), matrix(network, (2, 3, 3)), atol=1e-14)


class Bare(nn.Module):
    """Weights that are used by functions, of a layer and of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 5)
        self.matrix = nn.Parameter(torch.randn(5, 3))
        self.offset = nn.Parameter(torch.randn(3))
        self.gain = nn.Parameter(torch.randn(1, 3, 1))
        self.alpha = nn.Parameter(torch.tensor(0.3))
        self.last = nn.Parameter(torch.randn(2, 3))

    def parts(self) -> list[Any]:
        """Return what is done one after the other, as functions."""
        return [
            lambda x: functional.linear(x, self.layer.weight, self.layer.bias),
            lambda x: torch.addmm(self.offset, x, self.matrix),
            lambda x: (x[:, :, None] * self.gain)[:, :, 0],
            lambda x: self.alpha * x,
            lambda x: x @ self.last.T @ torch.eye(2).to(x),
        ]

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts()[:4]:
            x = part(x)
        return functional.linear(x, self.last)


def test_weights_that_functions_use() -> None:
    network = Bare().double()
    plan = LinearMapPlan.of(network, Task(input_shape=(4,), num_classes=2))
    found = list(plan.linear_maps(network))
    assert [m.name for m in found] == ["layer", "matrix", "gain", "alpha", "last"]
    parts = network.parts()
    for one, part, size in zip(found[:3], parts[:3], (4, 5, 3), strict=True):
        assert torch.allclose(one.applied_matrix(), matrix(part, (size,)), atol=1e-14), one.name
    assert found[3].applied_matrix().item() == pytest.approx(0.3)
    assert found[3].positions == 3
    assert torch.equal(found[4].weight, network.last.detach())
    assert set(plan.excluded) == {"layer.bias", "offset"}
    with torch.no_grad():
        network.gain.mul_(2.0)  # read anew at each measuring point
    assert torch.equal(plan.linear_maps(network)[2].weight.flatten(), network.gain.detach().flatten())


def test_layer_scale_of_channels_that_come_last() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gamma = nn.Parameter(torch.tensor([1.0, -3.0]))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.gamma

    (found,) = maps(Scaled(), (5, 2))
    assert (found.groups, found.input_size) == (2, (5,))
    assert SingularValues().operator_norm(found).log_value == pytest.approx(log(3.0))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_recurrent_layers(kind: Any, bidirectional: bool) -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = kind(3, 4, num_layers=2, batch_first=True, bidirectional=bidirectional)

        def forward(self, x: Tensor) -> Tensor:
            return self.cell(x)[0][:, -1]

    network = Last()
    found = {m.name: m for m in maps(network, (6, 3))}
    weights = {name: p for name, p in network.named_parameters() if p.dim() == 2}
    assert list(found) == list(weights)
    assert len(found) == (8 if bidirectional else 4)
    assert all(torch.equal(found[name].weight, weight) for name, weight in weights.items())
    assert {m.positions for m in found.values()} == {6}


def test_the_maps_of_an_lstm_are_those_of_its_gates() -> None:
    cell = nn.LSTM(3, 4).double()
    found = {m.name.rpartition(".")[2]: m for m in maps(cell_output(cell), (1, 3))}
    x, h, c = (torch.randn(1, size).double() for size in (3, 4, 4))
    gates = found["weight_ih_l0"].apply(x) + found["weight_hh_l0"].apply(h)
    biases = cell.get_parameter("bias_ih_l0") + cell.get_parameter("bias_hh_l0")
    i, f, g, o = (gates + biases).chunk(4, 1)
    state = f.sigmoid() * c + i.sigmoid() * g.tanh()
    expected = o.sigmoid() * state.tanh()
    with torch.no_grad():
        assert torch.allclose(cell(x[None], (h[None], c[None]))[0][0], expected, atol=1e-14)


def cell_output(cell: nn.LSTM) -> nn.Module:
    class Output(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = cell

        def forward(self, x: Tensor) -> Tensor:
            return self.cell(x)[0]

    return Output()


class HandmadeRMSNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


def test_normalisations_tables_and_tied_heads_follow_the_conventions() -> None:
    class Language(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(7, 4)
            self.norm = HandmadeRMSNorm()
            self.group = nn.GroupNorm(2, 4)
            self.head = nn.Linear(4, 7)
            self.head.weight = self.table.weight

        def forward(self, tokens: Tensor) -> Tensor:
            x = self.norm(self.table(tokens)).transpose(1, 2)
            return self.head(self.group(x).transpose(1, 2))

    network = Language()
    example = Example.of(torch.zeros(2, 5, dtype=torch.int64))
    plan = LinearMapPlan.of(network, Task(input_shape=(5,), num_classes=7), example=example)
    (head,) = plan.linear_maps(network)  # a tied table counts once, as the head's map
    assert (head.name, head.positions) == ("head", 5)
    assert torch.equal(head.weight, network.table.weight)
    assert plan.excluded == {"table": TABLE, "norm": OWN_STATISTICS, "group": OWN_STATISTICS}


def test_the_conv1d_of_transformers_is_a_product() -> None:
    pytest.importorskip("transformers")
    from transformers.pytorch_utils import Conv1D

    layer = Conv1D(3, 5).double()
    (found,) = maps(layer, (2, 5))
    assert torch.allclose(found.weight, matrix(layer, (5,)), atol=1e-14)
    assert found.positions == 2


def test_blocks_as_timm_builds_them() -> None:
    class BatchNormAct2d(nn.BatchNorm2d):
        def forward(self, x: Tensor) -> Tensor:
            return functional.silu(super().forward(x))

    class GlobalResponseNorm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.ones(4)), nn.Parameter(torch.zeros(4))

        def forward(self, x: Tensor) -> Tensor:
            size = x.norm(p=2, dim=(2, 3), keepdim=True)
            share = size / (size.mean(1, keepdim=True) + 1e-6)
            return x + self.bias.view(1, -1, 1, 1) + self.weight.view(1, -1, 1, 1) * (x * share)

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.depthwise = nn.Conv2d(4, 4, 3, padding=1, groups=4)
            self.bn = BatchNormAct2d(4)
            self.grn = GlobalResponseNorm()
            self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.Sigmoid())
            self.gamma = nn.Parameter(torch.full((4,), 0.5))

        def forward(self, x: Tensor) -> Tensor:
            y = self.grn(self.bn(self.depthwise(x)))
            return x + (y * self.gate(y)).mul(self.gamma.reshape(1, -1, 1, 1))

    network = Block()
    plan = LinearMapPlan.of(network, Task(input_shape=(4, 5, 5), num_classes=2))
    found = {m.name: m for m in plan.linear_maps(network)}
    assert list(found) == ["depthwise", "gate.1", "gamma"]
    assert found["depthwise"].lipschitz == pytest.approx(1.0998)
    assert found["gate.1"].lipschitz == 0.25
    assert plan.excluded == {"bn": "folded into depthwise", "grn": OWN_STATISTICS}
