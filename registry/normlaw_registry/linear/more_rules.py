"""Rules for recurrent layers, transposed convolutions, bare weights, and layers of other libraries.

What is a map only by convention is said where it is decided: see `CONVENTIONS`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import cast

from torch import Tensor, nn

from normlaw_registry.linear_map import LayerRule, LinearMap, Operation

Shape = tuple[int, ...]

OWN_STATISTICS = "normalisation by the input's own statistics: not a linear map"
TABLE = "a table of vectors, not a map of the input"
BIAS_NETWORK = "computes a bias of attention from positions: not a map of the input"
TEMPERATURE = "scales what attention's softmax takes: not a map of the features"
CONVENTIONS = (OWN_STATISTICS, TABLE, BIAS_NETWORK, TEMPERATURE)
"""Why weights are left out that do change how an output depends on an input: a norm of a network with such
layers is that of its other maps. Folded normalisations, biases and unused weights are left out exactly."""


def recurrent(layer: nn.Module, name: str, shape: Shape) -> Sequence[LinearMap]:
    """Return the maps of one time step of an `nn.LSTM`, `nn.GRU`, `nn.RNN`, or of a cell of these.

    For each layer and direction: the map of the input and that of the state, (gates * hidden, in) each, and of
    an LSTM with projections (`proj_size`) that one, (proj, hidden). By convention the map of the state is
    counted once, however many steps a sequence has.
    """
    matrices = [key for key, weight in layer.named_parameters(recurse=False) if weight.dim() == 2]
    tokens = 1 if isinstance(layer, nn.RNNCellBase) else math.prod(shape[:-1])
    return tuple(
        LinearMap(
            name=f"{name}.{key}",
            operation="dense",
            weight=layer.get_parameter(key).detach(),
            positions=tokens,
        )
        for key in matrices
    )


def transposed_convolution(layer: nn.Module, name: str, shape: Shape) -> Sequence[LinearMap]:
    """Return the one map of an `nn.ConvTranspose1d` or `nn.ConvTranspose2d` at the input size of its call."""
    assert isinstance(layer, (nn.ConvTranspose1d, nn.ConvTranspose2d))
    axes = len(layer.kernel_size)
    operation: Operation = "conv1d" if axes == 1 else "conv2d"
    weight = layer.weight.detach()  # (in, out/groups, *kernel)
    grouped = weight.reshape(layer.groups, -1, *weight.shape[1:])  # (groups, in/groups, out/groups, *kernel)
    return (
        LinearMap(
            name=name,
            operation=operation,
            weight=grouped.transpose(1, 2).flatten(0, 1).contiguous(),  # (out, in/groups, *kernel)
            input_size=tuple(shape[-axes:]),
            stride=tuple(layer.stride),
            padding=tuple((int(p), int(p)) for p in cast("tuple[int, ...]", layer.padding)),
            dilation=tuple(layer.dilation),
            groups=layer.groups,
            transposed=True,
            output_padding=tuple(int(p) for p in layer.output_padding),
        ),
    )


def turned(layer: nn.Module, name: str, shape: Shape) -> Sequence[LinearMap]:
    """Return the one map of a layer whose `weight` is (in, out), as the Conv1D of transformers has it."""
    weight = layer.get_parameter("weight").detach()  # (in, out)
    return (LinearMap(name=name, operation="dense", weight=weight.T, positions=math.prod(shape[:-1])),)


def factors(name: str, weight: Tensor, shape: Shape, axis: int | None) -> LinearMap:
    """Return the map that multiplies features by weights: diagonal, as a depthwise 1x1 convolution.

    Args:
        name: of the map.
        weight: a factor a channel, or a single one.
        shape: of the features without the batch axis.
        axis: of the channels in it; None for a single factor.

    """
    flat = weight.detach().flatten()
    if axis is None:
        return LinearMap(name=name, operation="dense", weight=flat.reshape(1, 1), positions=math.prod(shape))
    others = math.prod(shape[:axis] + shape[axis + 1 :])
    return LinearMap(
        name=name,
        operation="conv1d",
        weight=flat.reshape(-1, 1, 1),
        input_size=(others,),
        stride=(1,),
        padding=((0, 0),),
        dilation=(1,),
        groups=len(flat),
    )


MORE_RULES: Mapping[type[nn.Module], LayerRule] = {
    nn.RNNBase: recurrent,
    nn.RNNCellBase: recurrent,
    nn.ConvTranspose1d: transposed_convolution,
    nn.ConvTranspose2d: transposed_convolution,
}

ELSEWHERE: Mapping[str, LayerRule] = {"transformers.pytorch_utils.Conv1D": turned}
"""Rules for classes by their full names, so that nothing is imported for them."""

LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    "torchvision.models.swin_transformer.ShiftedWindowAttentionV2": {
        "cpb_mlp": BIAS_NETWORK,
        "logit_scale": TEMPERATURE,
    },
    "transformers.models.swinv2.modeling_swinv2.Swinv2SelfAttention": {
        "continuous_position_bias_mlp": BIAS_NETWORK,
        "logit_scale": TEMPERATURE,
    },
}
"""Parts of classes, by the full names of these, that are no maps: attribute -> why."""


def full_names(layer: nn.Module) -> list[str]:
    """Return the full names of a layer's class and its bases."""
    return [f"{kind.__module__}.{kind.__qualname__}" for kind in type(layer).__mro__]


def elsewhere(layer: nn.Module) -> LayerRule | None:
    """Return the rule for a layer of a library that is not imported here; None where there is none."""
    return next((ELSEWHERE[name] for name in full_names(layer) if name in ELSEWHERE), None)


def left_out(network: nn.Module) -> dict[str, str]:
    """Return the parts of a network that are declared to be no maps: their dotted names -> why."""
    return {
        f"{path}.{part}".lstrip("."): why
        for path, module in network.named_modules()
        for name in full_names(module)
        for part, why in LEFT_OUT.get(name, {}).items()
    }


def is_normalisation(layer: nn.Module) -> bool:
    """Return whether a layer of a library's own is a normalisation by its input's own statistics.

    It is by its class's name, `LlamaRMSNorm` for one, if it holds vectors alone and no running statistics.
    """
    vectors = [*layer.parameters()]
    return bool(
        re.search("norm", type(layer).__name__, re.IGNORECASE)
        and vectors
        and all(parameter.dim() <= 1 for parameter in vectors)
        and not [name for name, _ in layer.named_buffers() if "running" in name]
        and not any(True for _ in layer.children())
    )
