"""Long short-term memory for next-token prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_plugins.architectures.shared import Dropout, InitFactor, Width, require_tokens
from normlaw_registry import Architecture, Params, Task

if TYPE_CHECKING:
    from torch import nn


class LSTMParams(Params):
    """Parameters of `lstm`."""

    width: Width = Field(default=64, description="size of a token's features")
    hidden: Width = Field(default=128, description="size of the state of a layer")
    layers: Width = Field(default=1, description="number of layers, each of which reads the one before")
    dropout: Dropout = Field(default=0.0, description="dropout of what each layer and the head are given")
    init_factor: InitFactor = Field(
        default=1.0, description="factor on all matrices after PyTorch's default draw"
    )


def build_lstm(params: LSTMParams, task: Task) -> nn.Module:
    """Return an embedding, LSTM layers that begin with a state of zeros, and a linear head.

    All start from PyTorch's defaults: the vectors of tokens from N(0, 1), layers and head uniformly within
    +-1/sqrt(hidden); matrices and vectors of tokens are multiplied by `init_factor`.

    Raises:
        InputError: the task has no sequences of tokens.

    """
    import torch

    from normlaw_plugins.architectures.recurrent import RecurrentPredictor

    require_tokens("lstm", task)
    network = RecurrentPredictor(task.vocabulary, params.width, params.hidden, params.layers, params.dropout)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.dim() == 2:
                weight.mul_(params.init_factor)
    return network


LSTM = Architecture(
    name="lstm",
    summary="Long short-term memory between an embedding and a linear head, for sequences of tokens",
    source="Hochreiter, Schmidhuber 1997; Gers, Schmidhuber, Cummins 2000 (forget gates)",
    formula=r"c_t = f_t c_{t-1} + i_t \tanh(g_t), \quad h_t = o_t \tanh(c_t), \quad "
    r"(i, f, g, o) = W x_t + U h_{t-1} + b",
    params=LSTMParams,
    build=build_lstm,
    tasks=("next_token",),
)
