"""Spectral complexities against eq. 1.2 written out with assembled matrices, and by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from normlaw_registry import (
    Architecture,
    ComplexityMeasure,
    InputError,
    MeasuredValue,
    MeasurementContext,
    NormlawError,
    Task,
    load_catalogue,
    validate_params,
)
from normlaw_registry.testing import measurement_context

IMAGE = Task(input_shape=(2, 6, 5), num_classes=3)


def measured(name: str, context: MeasurementContext, **values: object) -> MeasuredValue:
    measure = load_catalogue().get(ComplexityMeasure, name)
    return measure.measure(validate_params(measure, values), context)


def eq_1_2(matrices: Sequence[Tensor], references: Sequence[Tensor] | None = None) -> float:
    """Bartlett's formula as it is printed, all Lipschitz constants 1."""
    references = references or [torch.zeros_like(matrix) for matrix in matrices]
    norms = [float(torch.linalg.matrix_norm(matrix, 2)) for matrix in matrices]
    groups = [
        float((a.T - m.T).norm(dim=0).sum()) for a, m in zip(matrices, references, strict=True)
    ]  # sums of column norms
    total = sum((group / norm) ** (2 / 3) for group, norm in zip(groups, norms, strict=True))
    return math.log(math.prod(norms)) + 1.5 * math.log(total)


def as_applied(layer: nn.Module, shape: Sequence[int]) -> Tensor:
    """The matrix of a layer without bias, by applying it to every unit vector."""
    with torch.no_grad():
        eye = torch.eye(math.prod(shape), dtype=torch.float64).reshape(-1, *shape)
        return layer.double()(eye).flatten(1).T


def convolutional() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1, bias=False),
        nn.ReLU(),
        nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(36, 3, bias=False),
    )


def test_exact_operators_against_assembled_matrices() -> None:
    net = convolutional()
    value = measured("spectral_complexity", measurement_context(net, IMAGE))
    matrices = [as_applied(net[0], (2, 6, 5)), as_applied(net[2], (3, 6, 5)), as_applied(net[5], (36,))]
    assert value.log_value == pytest.approx(eq_1_2(matrices), abs=1e-9)
    assert value.layers["2"]["operator_norm"] == pytest.approx(float(torch.linalg.matrix_norm(matrices[1], 2)))
    assert value.layers["2"]["group_norm_2_1"] == pytest.approx(float(matrices[1].norm(dim=1).sum()))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(2, 4, 3, padding=1, padding_mode="circular", bias=False),
        nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(2, 0), dilation=(1, 2), bias=False),
        nn.Conv2d(2, 4, 3, padding=1, groups=2, bias=False),
    ],
    ids=["circular", "dilated", "groups"],
)
def test_any_geometry(layer: nn.Module) -> None:
    value = measured("spectral_complexity", measurement_context(nn.Sequential(layer, nn.Flatten()), IMAGE))
    assert value.log_value == pytest.approx(eq_1_2([as_applied(layer, (2, 6, 5))]), abs=1e-9)


def test_reference_matrices_are_the_initial_weights() -> None:
    net, start = convolutional(), convolutional()
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    value = measured("spectral_complexity", measurement_context(net, IMAGE, initial=start), reference="initial")
    shapes = {0: (2, 6, 5), 2: (3, 6, 5), 5: (36,)}
    with pytest.raises(NormlawError, match="every weight equals its reference"):
        measured("spectral_complexity", measurement_context(start, IMAGE, initial=start), reference="initial")
    expected = eq_1_2(
        [as_applied(net[i], shape) for i, shape in shapes.items()],
        [as_applied(start[i], shape) for i, shape in shapes.items()],
    )
    assert value.log_value == pytest.approx(expected, abs=1e-9)


def test_one_layer_by_hand() -> None:
    layer = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.diag(torch.tensor([3.0, 4.0])))
    task = Task(input_shape=(2,), num_classes=2)
    for name in ("spectral_complexity", "spectral_complexity_kernel"):  # 4 * ((7 / 4)^(2/3))^(3/2)
        assert math.exp(measured(name, measurement_context(layer, task)).log_value) == pytest.approx(7.0)


def test_kernels_as_matrices() -> None:
    net = convolutional()
    value = measured("spectral_complexity_kernel", measurement_context(net, IMAGE))
    matrices = [net.get_parameter(f"{i}.weight").detach().double().flatten(1) for i in (0, 2, 5)]
    assert value.log_value == pytest.approx(eq_1_2(matrices), abs=1e-9)
    assert value.layers["0"]["kernel_norm"] <= measured(
        "spectral_complexity", measurement_context(net, IMAGE)
    ).layers["0"]["operator_norm"] * (1 + 1e-12)


def test_log_values_beyond_float64_are_finite() -> None:
    torch.manual_seed(1)
    net = nn.Sequential(*[nn.Linear(8, 8, bias=False) for _ in range(200)])
    with torch.no_grad():
        for weight in net.parameters():
            weight.mul_(1000)
    task = Task(input_shape=(8,), num_classes=8)
    assert 1000 < measured("spectral_complexity", measurement_context(net, task)).log_value < math.inf


def released_cnn(matrices: Sequence[Tensor]) -> float:
    norms = [float(torch.linalg.matrix_norm(matrix, 2)) for matrix in matrices]
    groups = [float(matrix.norm(dim=0).sum()) for matrix in matrices]
    total = sum((sum(groups[i + 1 :]) / norm) ** (2 / 3) for i, norm in enumerate(norms))
    return math.log(math.prod(norms)) + 1.5 * math.log(total)


def test_released_code_on_a_cnn() -> None:
    net = convolutional().append(nn.ReLU()).append(nn.Linear(3, 3, bias=False))
    context = measurement_context(net, IMAGE)
    matrices = [net.get_parameter(f"{i}.weight").detach().double().flatten(1) for i in (0, 2, 5, 7)]
    expected = released_cnn(matrices)
    assert measured("spectral_complexity_released", context).log_value == pytest.approx(expected, abs=1e-9)
    as_printed = measured("spectral_complexity_released", context, code="vit").log_value
    assert as_printed == pytest.approx(eq_1_2(matrices), abs=1e-9)


def test_released_code_on_a_resnet_sees_the_last_layer_alone() -> None:
    net = convolutional()
    last = net.get_parameter("5.weight").detach().double()
    value = measured("spectral_complexity_released", measurement_context(net, IMAGE))
    expected = math.log(float(torch.linalg.matrix_norm(last, 2))) + math.log(float(last.norm(dim=0).sum()))
    assert value.log_value == pytest.approx(expected, abs=1e-9)
    assert list(value.layers) == ["0", "5"]
    single = measurement_context(nn.Linear(3, 2), Task(input_shape=(3,), num_classes=2))
    with pytest.raises(InputError, match="one layer"):
        measured("spectral_complexity_released", single)


def test_the_perceptrons_complexity_is_its_norm_squared_over_itself() -> None:
    perceptron = load_catalogue().get(Architecture, "perceptron")
    task = Task(input_shape=(40,), num_classes=2)
    network = perceptron.build(perceptron.params(), task)
    context = measurement_context(network, task)
    norm = measured("weight_norm", context).log_value  # one row: both norms are |w|/sqrt(N), so R = |w|/sqrt(N)
    for name in (
        "spectral_complexity",
        "spectral_complexity_kernel",
        "spectral_norm_product",
        "frobenius_norm",
    ):
        assert measured(name, context).log_value == pytest.approx(norm, abs=1e-12)
