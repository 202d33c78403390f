"""Tracing finds every linear map, as it is applied, and leaves the network as it was."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from normlaw_registry import Architecture, InputError, LinearMap, Task
from normlaw_registry.linear import LinearMapPlan, trace_linear_maps

IMAGE = Task(input_shape=(3, 12, 10), num_classes=4)


class Block(nn.Module):
    """A residual block whose second normalisation's output is joined with a shortcut."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(functional.relu(self.norm1(self.conv1(x)))))
        return functional.relu(y + self.shortcut(x))


class Transformer(nn.Module):
    """Patch embedding, class token, learnt positions, one pre-norm layer, linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 2, 2)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.positions = nn.Parameter(torch.randn(1, 31, 8))
        layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(x), -1, -1), tokens], 1) + self.positions
        return self.head(self.norm(self.encoder(tokens))[:, 0])


def residual_network() -> nn.Sequential:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, 1, 1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        Block(4, 6, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ).append(nn.Linear(6, 4))
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 2.0)
            nn.init.uniform_(layer.bias)
            nn.init.uniform_(layer.get_buffer("running_mean"))
            nn.init.uniform_(layer.get_buffer("running_var"), 0.5, 2.0)
    return network


def test_maps_come_in_forward_order_with_their_geometry() -> None:
    plan = LinearMapPlan.of(residual_network(), IMAGE)
    maps = list(plan.linear_maps(residual_network()))
    assert [m.name for m in maps] == ["0", "3.conv1", "3.conv2", "3.shortcut.0", "6"]
    assert [m.input_size for m in maps] == [(12, 10), (12, 10), (6, 5), (12, 10), ()]
    assert [m.stride for m in maps] == [(1, 1), (2, 2), (1, 1), (2, 2), ()]
    assert maps[1].padding == ((1, 1), (1, 1))
    assert set(plan.excluded) == {"1", "3.norm1", "3.norm2", "3.shortcut.1"}


def test_folded_batch_norm_is_the_layers_own_linear_part() -> None:
    network = residual_network().double().eval()
    first = trace_linear_maps(network, IMAGE)[0]
    x = torch.randn(2, 3, 12, 10, dtype=torch.float64)
    block = network[:2]
    linear_part = block(x) - block(torch.zeros_like(x))
    assert torch.allclose(functional.conv2d(x, first.weight, padding=1), linear_part, atol=1e-12)


def test_batch_norm_that_follows_no_map_is_a_depthwise_map() -> None:
    class PreActivation(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)
            self.norm = nn.BatchNorm2d(3)

        def forward(self, x: Tensor) -> Tensor:
            y = self.conv(x)
            return (self.norm(y) + y).mean((2, 3))  # the convolution's output also goes past the normalisation

    network = PreActivation()
    nn.init.constant_(network.norm.weight, 3.0)
    maps = trace_linear_maps(network, IMAGE)
    assert [(m.name, m.groups) for m in maps] == [("conv", 1), ("norm", 3)]
    assert maps[0].weight.dtype == torch.float32
    assert maps[1].weight.flatten().tolist() == pytest.approx([3 / (1 + 1e-5) ** 0.5] * 3)


def test_attention_is_taken_apart_and_what_is_no_map_is_named() -> None:
    network = Transformer()
    plan = LinearMapPlan.of(network, IMAGE)
    maps = {m.name: m for m in plan.linear_maps(network)}
    layer = "encoder.layers.0"
    parts = [f"{layer}.self_attn.{part}" for part in ("query", "key", "value", "output")]
    assert list(maps) == ["patches", *parts, f"{layer}.linear1", f"{layer}.linear2", "head"]
    attention = network.encoder.layers[0].self_attn
    assert torch.equal(maps[parts[1]].weight, attention.in_proj_weight[8:16])
    assert torch.equal(maps[parts[3]].weight, attention.out_proj.weight)
    assert set(plan.excluded) == {"token", "positions", "norm", f"{layer}.norm1", f"{layer}.norm2"}
    assert maps[f"{layer}.linear1"].lipschitz == 1.1289
    assert maps[f"{layer}.linear2"].lipschitz == 1.0


def test_lipschitz_constants_are_upper_bounds_to_four_decimals() -> None:
    from normlaw_registry.linear.rules import LIPSCHITZ

    x = torch.linspace(-10, 10, 200_001, dtype=torch.float64, requires_grad=True)
    for name in ("relu", "tanh", "softplus", "sigmoid", "gelu", "silu", "mish", "hardswish", "selu"):
        (slope,) = torch.autograd.grad(getattr(functional, name)(x).sum(), x)
        assert LIPSCHITZ[name] == pytest.approx(float(slope.abs().max()), abs=1.01e-4), name


def test_overlapping_max_pooling_and_leaky_slopes_count() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 2, 3), nn.LeakyReLU(2.0), nn.MaxPool2d(3, 2), nn.Flatten(), nn.Linear(2 * 4 * 3, 4)
    )
    assert trace_linear_maps(network, IMAGE)[0].lipschitz == pytest.approx(2.0 * 2.0)


def test_tracing_leaves_the_network_as_it_was() -> None:
    network = residual_network().append(nn.Dropout(0.5))
    network.train()
    network[3].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    trace_linear_maps(network, IMAGE)
    assert torch.equal(torch.rand(1), expected)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_a_layer_called_twice_is_two_maps() -> None:
    shared = nn.Linear(4, 4)
    network = nn.Sequential(shared, nn.ReLU(), shared)
    maps = trace_linear_maps(network, Task(input_shape=(4,), num_classes=4))
    assert [m.name for m in maps] == ["0", "0@2"]


class Scale(nn.Module):
    """One weight per feature."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.full((features,), 2.0))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class Pairs(nn.Bilinear):
    """A form of the features with themselves."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x, x)


def test_a_layer_without_a_rule_is_an_error_that_says_how_to_give_one() -> None:
    class Gated(Scale):
        def forward(self, x: Tensor) -> Tensor:
            return x * torch.sigmoid(self.factor)

    network = nn.Sequential(nn.Linear(4, 4), Gated(4))
    with pytest.raises(InputError, match=r"layer '1' of type Gated .*layer_rules=lambda: \{Gated: rule\}"):
        trace_linear_maps(network, Task(input_shape=(4,), num_classes=4))
    with pytest.raises(InputError, match="layer '0' of type Pairs"):
        trace_linear_maps(nn.Sequential(Pairs(4, 4, 4)), Task(input_shape=(4,), num_classes=4))


def test_an_architecture_gives_rules_or_its_own_list() -> None:
    def rule(layer: nn.Module, name: str, shape: tuple[int, ...]) -> list[LinearMap]:
        factor = layer.get_parameter("factor").detach()
        return [LinearMap(name=name, operation="dense", weight=torch.diag(factor))]

    def build(params: object, task: Task) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 4), Scale(4))

    task = Task(input_shape=(4,), num_classes=4)
    network = build(None, task)
    ruled = Architecture(name="scaled", summary="s", build=build, layer_rules=lambda: {Scale: rule})
    assert [m.name for m in trace_linear_maps(network, task, ruled)] == ["0", "1"]
    left_out = Architecture(name="scaled", summary="s", build=build, layer_rules=lambda: {Scale: lambda *_: ()})
    plan = LinearMapPlan.of(network, task, left_out)
    assert [m.name for m in plan.linear_maps(network)] == ["0"]
    assert "layer rule" in plan.excluded["1"]
    own = Architecture(
        name="scaled",
        summary="s",
        build=build,
        linear_maps=lambda net, task: rule(net.get_submodule("1"), "only", (4,)),
    )
    assert [m.name for m in trace_linear_maps(network, task, own)] == ["only"]


def test_unused_layers_are_named_and_padding_modes_without_a_rule_refused() -> None:
    class Spare(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            return self[0](x)

    plan = LinearMapPlan.of(Spare(nn.Linear(4, 4), nn.Linear(4, 4)), Task(input_shape=(4,), num_classes=4))
    assert set(plan.excluded) == {"1.weight", "1.bias"}
    with pytest.raises(InputError, match="padding mode 'reflect'"):
        trace_linear_maps(nn.Conv2d(3, 2, 3, padding=1, padding_mode="reflect"), IMAGE)
