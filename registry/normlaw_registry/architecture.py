"""Architectures, and the linear maps that measures see of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from normlaw_registry.component import Component

if TYPE_CHECKING:
    from torch import Tensor, nn

    from normlaw_registry.dataset import Task

MapKind = Literal["dense", "conv1d", "conv2d"]


@dataclass(frozen=True, kw_only=True)
class LinearMap:
    """One linear map of a network, as it is applied: all that a complexity measure may know of a layer.

    The weight is that of the forward pass in evaluation mode: a normalisation with running statistics
    that follows the layer is already folded into it.
    """

    name: str
    """The layer's dotted name in the network, with a suffix for its parts: 'encoder.0.attention.query'."""
    kind: MapKind
    weight: Tensor
    """dense: (out, in); conv1d: (out, in/groups, k); conv2d: (out, in/groups, kh, kw)."""
    input_size: tuple[int, ...] = ()
    """Spatial size at the layer's input: () for dense, (length,) for conv1d, (height, width) for conv2d."""
    stride: tuple[int, ...] = ()
    padding: tuple[tuple[int, int], ...] = ()
    """(before, after) for each spatial axis."""
    padding_mode: Literal["zeros", "circular"] = "zeros"
    dilation: tuple[int, ...] = ()
    groups: int = 1
    lipschitz: float = 1.0
    """Lipschitz constant of the nonlinearity that follows (rho_i in Bartlett et al. 2017, eq. 1.2)."""

    def matrix(self) -> Tensor:
        """Return the weight as a matrix: (out, in) or, for a kernel, (out, in/groups * kh * kw)."""
        return self.weight.flatten(start_dim=1)


LayerRule = Callable[["nn.Module", str, "tuple[int, ...]"], "Sequence[LinearMap]"]
"""(layer, its dotted name, shape of its input without the batch axis) -> its linear maps; () excludes it."""


@dataclass(frozen=True, kw_only=True)
class Architecture(Component):
    """A network. `build(params, task)` returns a plain `nn.Module` in float32.

    The module maps (batch, *task.input_shape) to (batch, task.num_outputs) and draws its initial weights
    from torch's global generator, which the platform seeds beforehand.

    A layer type with weights that normlaw has no rule for needs one: `layer_rules` returns rules for layer
    types, or `linear_maps` replaces the tracing altogether for this architecture.
    """

    kind: ClassVar[str] = "architecture"

    build: Callable[[Any, Task], nn.Module]
    """(params, task) -> network. Import torch inside. Raise `InputError` for a task it cannot serve."""
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Named settings: preset name -> parameters."""
    layer_rules: Callable[[], Mapping[type[nn.Module], LayerRule]] | None = None
    """Rules for layer types of this architecture, by class; they go before the built-in rules."""
    linear_maps: Callable[[nn.Module, Task], Sequence[LinearMap]] | None = None
    """The network's linear maps in forward order, where tracing would not find them."""
