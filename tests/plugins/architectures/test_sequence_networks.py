"""`gpt` and `lstm`: how many parameters they have, how they begin, and what they compute."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from normlaw_plugins.architectures.decoder import CausalAttention, rotated
from normlaw_plugins.architectures.gpt import GPT, GPTParams
from normlaw_plugins.architectures.lstm import LSTM, LSTMParams
from normlaw_plugins.architectures.recurrent import SteppedLSTM
from normlaw_registry import Architecture, InputError, Params, Task
from normlaw_registry.linear import LinearMapPlan
from normlaw_registry.testing import check_component

V, T = 50, 16
TASK = Task(input_shape=(T,), kind="next_token", vocabulary=V)


def build(architecture: Architecture, params: Params) -> nn.Module:
    torch.manual_seed(0)
    return architecture.build(params, TASK)


@pytest.mark.parametrize(
    ("architecture", "params"),
    [
        (GPT, GPTParams(width=8, heads=2, depth=1, norm="rms", positions="rotary", tied=False, bias=False)),
        (GPT, GPTParams(width=8, heads=2, depth=1, dropout=0.1)),
        (LSTM, LSTMParams(width=8, hidden=12, layers=2, dropout=0.1)),
    ],
)
def test_it_keeps_the_contract(architecture: Architecture, params: Params) -> None:
    check_component(architecture, params=params)


@pytest.mark.parametrize("norm", ["layer", "rms"])
@pytest.mark.parametrize("positions", ["learnt", "rotary"])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_parameters_of_a_decoder_in_closed_form(norm: Any, positions: Any, tied: bool, bias: bool) -> None:
    w, d, r = 12, 3, 2
    made = build(
        GPT,
        GPTParams(width=w, depth=d, heads=2, mlp_ratio=r, norm=norm, positions=positions, tied=tied, bias=bias),
    )
    gains = w * (2 if norm == "layer" else 1)
    block = 4 * w * w + 2 * r * w * w + bias * (4 * w + r * w + w) + 2 * gains
    expected = V * w * (1 if tied else 2) + T * w * (positions == "learnt") + d * block + gains
    assert sum(weight.numel() for weight in made.parameters()) == expected


def test_parameters_of_an_lstm_in_closed_form() -> None:
    made = build(LSTM, LSTMParams(width=10, hidden=7, layers=2))
    layers = 4 * 7 * (10 + 7 + 2) + 4 * 7 * (7 + 7 + 2)
    assert sum(weight.numel() for weight in made.parameters()) == V * 10 + layers + 7 * V + V


def test_a_decoder_begins_as_it_says() -> None:
    made = build(GPT, GPTParams(width=64, depth=8, heads=4, tied=False, init_factor=2.0))
    for name, weight in made.named_parameters():
        if weight.dim() == 2:
            added = name.endswith(("attention.output.weight", "down.weight"))
            assert float(weight.detach().std()) == pytest.approx(2 * 0.02 / (4 if added else 1), rel=0.1), name
        else:
            assert set(weight.tolist()) == ({0.0} if name.endswith("bias") else {1.0}), name


def test_an_lstm_begins_as_torch_does() -> None:
    torch.manual_seed(0)
    others = [nn.Embedding(V, 8), nn.LSTM(8, 6), nn.Linear(6, V)]
    names = ("weight", "weight_hh_l0", "weight")
    expected = [layer.get_parameter(name) for layer, name in zip(others, names, strict=True)]
    made = build(LSTM, LSTMParams(width=8, hidden=6, init_factor=3.0))
    found = [made.get_parameter(name) for name in ("tokens.weight", "lstm.weight_hh_l0", "head.weight")]
    for weight, other in zip(found, expected, strict=True):
        assert torch.equal(weight, 3.0 * other)


def test_attention_is_torchs_with_a_mask() -> None:
    torch.manual_seed(0)
    own = CausalAttention(12, 3, 0.0, bias=True, rotary=False)
    other = nn.MultiheadAttention(12, 3, batch_first=True)
    with torch.no_grad():
        other.in_proj_weight.copy_(torch.cat([own.query.weight, own.key.weight, own.value.weight]))
        other.in_proj_bias.copy_(torch.cat([own.query.bias, own.key.bias, own.value.bias]))
        other.out_proj.load_state_dict(own.output.state_dict())
    x = torch.randn(2, 5, 12)
    mask = torch.ones(5, 5, dtype=torch.bool).triu(1)
    torch.testing.assert_close(own(x), other(x, x, x, attn_mask=mask, need_weights=False)[0])


def test_rotary_products_depend_on_distances_alone() -> None:
    """And the rotation is multiplication by exp(1j t rate)."""
    q, k = torch.randn(8, dtype=torch.float64), torch.randn(8, dtype=torch.float64)

    def everywhere(vector: Tensor) -> Tensor:
        return rotated(vector.expand(1, 1, 10, 8))[0, 0]  # (10, 8)

    products = everywhere(q) @ everywhere(k).T  # (10, 10)
    for distance in range(-9, 10):
        along = torch.diagonal(products, distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), rtol=1e-5, atol=1e-5)
    turned = torch.complex(q[:4], q[4:]) * torch.exp(1j * 3 * 10000.0 ** -(torch.arange(4) / 4))
    torch.testing.assert_close(everywhere(q)[3], torch.cat([turned.real, turned.imag]), rtol=1e-5, atol=1e-5)


def test_the_steps_of_an_lstm_are_torchs() -> None:
    torch.manual_seed(0)
    own, other = SteppedLSTM(5, 4, 2, batch_first=True), nn.LSTM(5, 4, 2, batch_first=True)
    other.load_state_dict(own.state_dict())
    x = torch.randn(3, 7, 5)
    torch.testing.assert_close(own(x), other(x)[0])


def test_linear_maps_of_a_decoder() -> None:
    """A tied head is counted once, as the head; tables of vectors and normalisations are no maps."""
    made = build(GPT, GPTParams(width=8, heads=2, depth=1))
    plan = LinearMapPlan.of(made, TASK, GPT)
    maps = plan.linear_maps(made)
    block = [f"blocks.0.{part}" for part in ("attention.query", "attention.key", "attention.value")]
    rest = [f"blocks.0.{part}" for part in ("attention.output", "up", "down")]
    assert [one.name for one in maps] == [*block, *rest, "head"]
    assert [one.positions for one in maps] == [T] * 7
    assert maps[-1].weight.data_ptr() == made.get_parameter("tokens.weight").data_ptr()
    assert {"tokens", "positions", "norm"} <= {name.split(".")[0] for name in plan.excluded}


def test_linear_maps_of_an_lstm() -> None:
    made = build(LSTM, LSTMParams(width=8, hidden=6))
    maps = LinearMapPlan.of(made, TASK, LSTM).linear_maps(made)
    assert [(one.name, tuple(one.weight.shape)) for one in maps] == [
        ("lstm.weight_ih_l0", (24, 8)),
        ("lstm.weight_hh_l0", (24, 6)),
        ("head", (V, 6)),
    ]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"width": 10, "heads": 4}, "10 is no multiple of 4"),
        ({"width": 9, "heads": 3, "positions": "rotary"}, "a head has 3, which is odd"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        GPTParams(**values)


@pytest.mark.parametrize("architecture", [GPT, LSTM])
def test_other_tasks_are_refused(architecture: Architecture) -> None:
    with pytest.raises(
        InputError, match="foretells the next token of sequences, and the data set asks for 10 cl"
    ):
        architecture.build(architecture.params(), Task(input_shape=(4,), num_classes=10))
