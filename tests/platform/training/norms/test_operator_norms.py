"""Operator norms against the singular values of the explicitly assembled matrix."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from normlaw.training.norms import singular_values
from normlaw.training.norms.singular_values import SingularValues
from normlaw_registry import LinearMap, NormlawError


def assembled(m: LinearMap) -> Tensor:
    """The map's matrix, column by column through torch's own convolution."""
    inputs = (m.weight.shape[1] * m.groups, *m.input_size)
    eye = torch.eye(math.prod(inputs), dtype=torch.float64).reshape(-1, *inputs)
    flat = [p for axis in reversed(m.padding) for p in axis]
    padded = functional.pad(eye, flat, mode="circular" if m.padding_mode == "circular" else "constant")
    convolve = functional.conv1d if m.operation == "conv1d" else functional.conv2d
    return convolve(padded, m.weight.double(), None, m.stride, 0, m.dilation, m.groups).flatten(1).T


def conv(
    weight: Tensor, size: tuple[int, ...], stride: int = 1, padding: int = 0, groups: int = 1
) -> LinearMap:
    axes = len(size)
    return LinearMap(
        name="layer",
        operation="conv2d" if axes == 2 else "conv1d",
        weight=weight,
        input_size=size,
        stride=(stride,) * axes,
        padding=((padding, padding),) * axes,
        dilation=(1,) * axes,
        groups=groups,
    )


@st.composite
def convolutions(draw: st.DrawFn) -> LinearMap:
    axes = draw(st.integers(1, 2))
    groups = draw(st.integers(1, 3))
    small = st.integers(1, 4)
    kernel = [draw(small) for _ in range(axes)]
    dilation = [draw(st.integers(1, 2)) for _ in range(axes)]
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    size = [draw(st.integers(r, 12)) for r in reach]
    sides = [[(r - 1) // 2, r - 1 - (r - 1) // 2] for r in reach]  # 'same'
    if not draw(st.booleans()):
        sides = [[draw(st.integers(0, min(3, n))) for _ in range(2)] for n in size]
    out, channels = groups * draw(small), draw(small)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**20)))
    weight = torch.randn(out, channels, *kernel, generator=generator)
    if draw(st.booleans()):  # rank one as a matrix
        weight = torch.randn(out, 1, *[1] * axes, generator=generator) * weight[:1]
    return LinearMap(
        name="layer",
        operation="conv2d" if axes == 2 else "conv1d",
        weight=weight,
        input_size=tuple(size),
        stride=tuple(draw(st.integers(1, 3)) for _ in range(axes)),
        padding=tuple((a, b) for a, b in sides),
        padding_mode=draw(st.sampled_from(["zeros", "circular"])),
        dilation=tuple(dilation),
        groups=groups,
    )


def relative_error(m: LinearMap, norms: SingularValues | None = None) -> float:
    expected = float(torch.linalg.svdvals(assembled(m))[0])
    value = (norms or SingularValues()).operator_norm(m)
    assert value.exactness == "exact"
    assert value.tolerance <= 1e-6
    return abs(math.exp(value.log_value) / expected - 1)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(convolutions(), st.booleans())
@pytest.mark.slow
def test_any_convolution_agrees_with_its_assembled_matrix(m: LinearMap, iterated: bool) -> None:
    assume(float(torch.linalg.matrix_norm(assembled(m))) > 0)
    with pytest.MonkeyPatch.context() as patch:
        if iterated:
            patch.setattr(singular_values, "DENSE_INPUTS", 2)
        assert relative_error(m) < 1e-6


@settings(max_examples=40, deadline=None, derandomize=True)
@given(convolutions())
def test_the_adjoint_is_exact(m: LinearMap) -> None:
    matrix = assembled(m)
    exact = replace(m, weight=m.weight.double())
    assert torch.allclose(exact.applied_matrix(), matrix, atol=1e-12)
    x, y = (torch.randn(2, n, dtype=torch.float64) for n in reversed(matrix.shape))
    inputs = x.reshape(2, *m.input_shape)
    assert torch.allclose(exact.normal(inputs).flatten(1), x @ matrix.T @ matrix, atol=1e-10)
    image = exact.apply(inputs)
    assert torch.allclose(exact.adjoint(y.reshape(image.shape)).flatten(1), y @ matrix, atol=1e-10)


@pytest.mark.parametrize("gap", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 0.0])
def test_ill_separated_top_singular_values(gap: float) -> None:
    torch.manual_seed(1)
    weight = torch.randn(12, 4, 3, 3)
    # Three groups of almost the same kernel: the top singular value comes three times, `gap` apart.
    weight = torch.cat([weight[:4], weight[:4] * (1 - gap), weight[:4] * (1 - 2 * gap)])
    assert relative_error(conv(weight, (6, 5), padding=1, groups=3)) < 1e-6


def test_ill_separated_by_a_long_smooth_axis() -> None:
    weight = torch.tensor([0.25, 0.5, 0.25]).reshape(1, 1, 3)  # eigenvalues cos^2(pi k / 2 / (n + 1))
    m = conv(weight, (300,), padding=1)
    value = SingularValues().operator_norm(m)
    assert math.exp(value.log_value) == pytest.approx(math.cos(math.pi / 602) ** 2, rel=1e-6)


def test_warm_starts_follow_a_top_singular_value_that_jumps() -> None:
    torch.manual_seed(2)
    norms = SingularValues()
    weight = torch.randn(8, 4, 3, 3)
    for step in range(6):
        moved = weight + 0.01 * step * torch.randn_like(weight)
        moved[4 * (step % 2) : 4 * (step % 2) + 4] *= 1.1  # now one group has the largest, now the other
        assert relative_error(conv(moved, (6, 5), padding=1, groups=2), norms) < 1e-6


@pytest.mark.slow
def test_a_network_sized_convolution_at_real_stride_and_padding() -> None:
    torch.manual_seed(3)
    m = conv(torch.randn(24, 16, 3, 3) / 12, (12, 12), stride=2, padding=1)
    assert relative_error(m) < 1e-6


def test_the_scale_of_the_weights_does_not_matter() -> None:
    torch.manual_seed(4)
    weight = torch.randn(4, 3, 3, 3)
    one = SingularValues().operator_norm(conv(weight, (8, 8), padding=1)).log_value
    for scale in (1e-30, 1e30):
        scaled = SingularValues().operator_norm(conv(weight * scale, (8, 8), padding=1)).log_value
        assert scaled - one == pytest.approx(math.log(scale), abs=1e-6)


def test_circular_norm_is_the_largest_of_the_transfer_function() -> None:
    weight = torch.tensor([1.0, 2.0, 1.0]).reshape(1, 1, 3)
    m = replace(conv(weight, (40,), padding=1), padding_mode="circular")
    assert math.exp(SingularValues().operator_norm(m).log_value) == pytest.approx(4.0, rel=1e-12)


def test_patches_that_do_not_overlap_have_the_norm_of_the_kernel() -> None:
    torch.manual_seed(5)
    m = conv(torch.randn(6, 3, 4, 4), (16, 16), stride=4)
    norms = SingularValues()
    assert norms.operator_norm(m).log_value == pytest.approx(norms.kernel_norm(m).log_value, abs=1e-12)
    assert relative_error(m) < 1e-9
    assert norms.state_dict() == {}


def test_a_map_that_is_zero_as_applied_is_an_error() -> None:
    weight = torch.zeros(1, 1, 3, 3)
    weight[0, 0, 0, 0] = 1.0  # reads padding alone
    with pytest.raises(NormlawError, match="layer 'layer': its weight is zero as it is applied"):
        SingularValues().operator_norm(conv(weight, (1, 1), padding=1))
