"""The path norm against products of assembled matrices, where every path is counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from normlaw_registry import ComplexityMeasure, InputError, NormlawError, Task, load_catalogue, validate_params
from normlaw_registry.testing import measurement_context

IMAGE = Task(input_shape=(2, 6, 6), num_classes=3)
PLAIN = measurement_context(nn.Sequential(nn.Flatten(), nn.Linear(72, 3)), IMAGE)


def path_norm(net: nn.Module, order: int) -> float:
    measure = load_catalogue().get(ComplexityMeasure, "path_norm")
    context = replace(PLAIN, network=net.eval(), linear_maps=())
    return math.exp(measure.measure(validate_params(measure, {"order": order}), context).log_value)


def matrix(function: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> Tensor:
    """The matrix of a linear function, by unit vectors."""
    with torch.no_grad():
        eye = torch.eye(math.prod(shape), dtype=torch.float64).reshape(-1, *shape)
        return (function(eye) - function(torch.zeros_like(eye))).flatten(1).T


def pooling(shape: tuple[int, int, int], kernel: int, stride: int, padding: int = 0) -> Tensor:
    """One where an input lies in the window of an output."""
    return (matrix(lambda x: functional.avg_pool2d(x, kernel, stride, padding), shape) != 0).double()


@pytest.mark.parametrize("order", [1, 2])
def test_two_layers_by_hand(order: int) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(72, 2, bias=False), nn.ReLU(), nn.Linear(2, 3))
    with torch.no_grad():
        net.get_parameter("1.weight").zero_()
        (
            net.get_parameter("1.weight")[0, 3],
            net.get_parameter("1.weight")[0, 4],
            net.get_parameter("1.weight")[1, 4],
        ) = 2.0, -3.0, 1.0
        net.get_parameter("3.weight").copy_(torch.tensor([[1.0, -1.0], [0.0, 2.0], [-2.0, 0.0]]))
    paths = [2, 3, 2 * 2, 3 * 2, 1, 2]
    assert path_norm(net, order) == pytest.approx(sum(p**order for p in paths) ** (1 / order))


@pytest.mark.parametrize("order", [1, 2])
def test_convolution_normalisation_and_overlapping_max_pooling(order: int) -> None:
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(27, 3)).eval()
    nn.init.uniform_(net.get_buffer("1.running_var"), 0.5, 2.0)
    nn.init.uniform_(net.get_parameter("1.weight"), -2.0, 2.0)
    expected = path_norm(net, order)
    double = net.double()
    first = matrix(double[:2], (2, 6, 6)).abs() ** order
    last = matrix(double[5], (27,)).abs() ** order
    paths = float((last @ pooling((3, 6, 6), 3, 2, 1) @ first).sum())
    assert expected == pytest.approx(paths ** (1 / order), rel=1e-6)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "average",
    [nn.AvgPool2d(2), nn.AvgPool2d(3, 1, 1), nn.AdaptiveAvgPool2d(2)],
    ids=["2", "padded", "adaptive"],
)
def test_average_pooling_has_weights_of_its_own(average: nn.Module, order: int) -> None:
    torch.manual_seed(1)
    size = average(torch.zeros(1, 4, 6, 6)).numel()
    net = nn.Sequential(nn.Conv2d(2, 4, 1), nn.ReLU(), average, nn.Flatten(), nn.Linear(size, 3))
    expected = path_norm(net, order)
    double = net.double()
    first, pool, last = (
        matrix(layer, shape).abs() ** order
        for layer, shape in ((double[0], (2, 6, 6)), (average, (4, 6, 6)), (double[4], (size,)))
    )
    assert expected == pytest.approx(float((last @ pool @ first).sum()) ** (1 / order), rel=1e-6)


@pytest.mark.parametrize("order", [1, 2])
def test_shortcuts_are_paths(order: int) -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
            self.head = nn.Linear(2, 3)

        def forward(self, x: Tensor) -> Tensor:
            out = self.conv2(functional.relu(self.conv1(x)))
            out += x
            return self.head(torch.relu(out).mean((2, 3)))

    torch.manual_seed(2)
    net = Residual()
    expected = path_norm(net, order)
    net.double()
    shapes = {net.conv1: (2, 6, 6), net.conv2: (2, 6, 6), net.head: (2,)}
    first, second, head = (matrix(layer, shape).abs() ** order for layer, shape in shapes.items())
    mean = matrix(lambda x: x.mean((2, 3)), (2, 6, 6)) ** order
    paths = head @ mean @ (second @ first + torch.eye(72))
    assert expected == pytest.approx(float(paths.sum()) ** (1 / order), rel=1e-6)


def test_it_bounds_the_change_of_the_outputs() -> None:
    """With biases of zero |f(x)|_1 <= path norm of order 1 times max |x| (Neyshabur et al. 2015)."""
    torch.manual_seed(3)
    net = nn.Sequential(
        nn.Conv2d(2, 3, 3, bias=False), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 3, bias=False)
    )
    x = torch.randn(100, 2, 6, 6).sign()
    assert net(x).abs().sum(1).max().item() <= path_norm(net, 1)


@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_deep_networks_stay_in_range(factor: float) -> None:
    torch.manual_seed(4)
    net = nn.Sequential(nn.Flatten(), nn.Linear(72, 4), *[nn.Linear(4, 4) for _ in range(6)])
    base = path_norm(net, 2)
    with torch.no_grad():
        for name, weight in net.named_parameters():
            if name.endswith("weight"):
                weight.mul_(factor)
    measure = load_catalogue().get(ComplexityMeasure, "path_norm")
    value = measure.measure(measure.params(), replace(PLAIN, network=net, linear_maps=()))
    assert value.log_value == pytest.approx(math.log(base) + 7 * math.log(factor), rel=1e-6)


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (nn.GELU(), "gelu"),
        (nn.LayerNorm([2, 6, 6]), "layer_norm"),
        (nn.Tanh(), "tanh"),
        (nn.MaxPool2d(2, ceil_mode=True), "rounds up"),
        (nn.AdaptiveAvgPool2d(4), "differ in size"),
    ],
)
def test_what_is_no_relu_network_is_refused(layer: nn.Module, function: str) -> None:
    with pytest.raises(InputError, match=function):
        path_norm(nn.Sequential(layer, nn.Flatten(), nn.LazyLinear(3)), 2)


def test_attention_is_refused_by_name() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(6, 2, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            tokens = x.flatten(1, 2)
            return self.attention(tokens, tokens, tokens)[0].sum(1)

    with pytest.raises(InputError, match="attention"):
        path_norm(Attention(), 2)


def test_no_path_is_an_error() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(72, 3))
    nn.init.zeros_(net.get_parameter("1.weight"))
    with pytest.raises(NormlawError, match="each path meets a weight of zero"):
        path_norm(net, 2)
