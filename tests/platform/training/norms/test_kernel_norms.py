"""Singular values and entrywise norms of matrices against LAPACK and against sums by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from normlaw.training.norms import entries
from normlaw.training.norms.entries import entry_norms
from normlaw.training.norms.kernel import largest_singular_value
from normlaw_registry import LinearMap, NormlawError


def with_singular_values(values: Tensor, rows: int, columns: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    left, _ = torch.linalg.qr(torch.randn(rows, len(values), dtype=torch.float64, generator=generator))
    right, _ = torch.linalg.qr(torch.randn(columns, len(values), dtype=torch.float64, generator=generator))
    return (left * values) @ right.T


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (10, 300), (300, 10), (65, 65), (128, 1200), (1200, 128)])
def test_against_lapack(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrix = torch.rand(shape) - 0.5
    expected = float(torch.linalg.svdvals(matrix.double())[0])
    assert largest_singular_value(matrix) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("gap", [0.0, 1e-12, 1e-9, 1e-7, 1e-5, 1e-3])
def test_ill_separated(gap: float) -> None:
    values = torch.linspace(1.0, 0.1, 100, dtype=torch.float64)
    values[1], values[2] = 1.0 - gap, 1.0 - 2 * gap
    assert largest_singular_value(with_singular_values(values, 150, 120)) == pytest.approx(1.0, rel=1e-9)


def test_rank_one_and_a_single_entry() -> None:
    torch.manual_seed(1)
    u, v = torch.randn(200, dtype=torch.float64), torch.randn(300, dtype=torch.float64)
    assert largest_singular_value(torch.outer(u, v)) == pytest.approx(float(u.norm() * v.norm()), rel=1e-12)
    alone = torch.zeros(100, 100)
    alone[3, 70] = -2.5
    assert largest_singular_value(alone) == pytest.approx(2.5, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_scale(scale: float) -> None:
    torch.manual_seed(2)
    matrix = torch.rand(100, 80)
    expected = float(torch.linalg.svdvals((matrix * scale).double())[0])
    assert largest_singular_value(matrix * scale) == pytest.approx(expected, rel=1e-12)


def test_the_same_matrix_gives_the_same_bits() -> None:
    rank_two = with_singular_values(torch.tensor([2.0, 1.0], dtype=torch.float64), 200, 200)  # exhausts ARPACK
    assert len({largest_singular_value(rank_two) for _ in range(5)}) == 1


@pytest.mark.parametrize("chunk", [1, 7, 1 << 18])
def test_entrywise_norms_by_hand(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "CHUNK", chunk)
    weight = torch.tensor([[3.0, 4.0, 0.0], [0.0, 0.0, -12.0], [4.0, 3.0, 5.0]])
    norms = entry_norms(LinearMap(name="a", operation="dense", weight=weight))
    assert norms.l1 == pytest.approx(31.0)
    assert norms.frobenius == pytest.approx(math.sqrt(219.0))
    assert norms.rows_2_1 == pytest.approx(5.0 + 12.0 + math.sqrt(50.0))
    assert norms.columns_2_1 == pytest.approx(5.0 + 5.0 + 13.0)
    reference = LinearMap(name="a", operation="dense", weight=weight - 1.0)
    moved = entry_norms(LinearMap(name="a", operation="dense", weight=weight), reference)
    assert (moved.l1, moved.frobenius) == pytest.approx((9.0, 3.0))
    assert (moved.rows_2_1, moved.columns_2_1) == pytest.approx((3 * math.sqrt(3.0), 3 * math.sqrt(3.0)))


def test_a_kernel_is_read_as_out_by_everything_else() -> None:
    weight = torch.zeros(2, 3, 2, 2)
    weight[0, 1] = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    norms = entry_norms(
        LinearMap(
            name="a",
            operation="conv2d",
            weight=weight,
            input_size=(4, 4),
            stride=(1, 1),
            padding=((0, 0), (0, 0)),
            dilation=(1, 1),
        )
    )
    assert (norms.rows_2_1, norms.columns_2_1) == (5.0, 7.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_not_finite(bad: float) -> None:
    weight = torch.ones(3, 3)
    weight[1, 1] = bad
    assert math.isnan(largest_singular_value(weight))
    with pytest.raises(NormlawError, match="layer 'a': its weight is not finite"):
        entry_norms(LinearMap(name="a", operation="dense", weight=weight))
