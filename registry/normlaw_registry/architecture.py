"""Architectures, and the linear maps that measures see of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ValidationError

from normlaw_registry.component import Component
from normlaw_registry.errors import InvalidComponentError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from normlaw_registry.dataset import Task

MapKind = Literal["dense", "conv1d", "conv2d"]

SPATIAL_AXES: dict[str, int] = {"dense": 0, "conv1d": 1, "conv2d": 2}
"""Map kind -> number of its spatial axes, which is the length of all its geometry tuples."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearMap:
    """One linear map of a network, as it is applied: all that a complexity measure may know of a layer.

    The weight is that of the forward pass in evaluation mode: a normalisation with running statistics
    that follows the layer is already folded into it. Biases are no part of it. Two are equal only when
    they are one object, so that they can be keys of a cache.

    Raises:
        InvalidComponentError: the weight's axes or the length of a geometry tuple do not fit the kind.

    """

    name: str
    """The layer's dotted name in the network, with a suffix for its parts: 'encoder.0.attention.query'."""
    kind: MapKind
    weight: Tensor
    """dense: (out, in); conv1d: (out, in/groups, k); conv2d: (out, in/groups, kh, kw)."""
    input_size: tuple[int, ...] = ()
    """Spatial size at the layer's input: () for dense, (length,) for conv1d, (height, width) for conv2d."""
    stride: tuple[int, ...] = ()
    """Step of the kernel along each spatial axis."""
    padding: tuple[tuple[int, int], ...] = ()
    """(before, after) for each spatial axis."""
    padding_mode: Literal["zeros", "circular"] = "zeros"
    """What stands in the padding: zeros, or the other edge of the input."""
    dilation: tuple[int, ...] = ()
    """Distance between neighbouring kernel entries along each spatial axis; 1 is a plain convolution."""
    groups: int = 1
    """Number of blocks of channels that are convolved apart from each other."""
    positions: int = 1
    """dense: number of tokens that the same matrix is applied to; 1 for all others."""
    lipschitz: float = 1.0
    """Lipschitz constant of the nonlinearity that follows (rho_i in Bartlett et al. 2017, eq. 1.2)."""

    def __post_init__(self) -> None:
        """Refuse a geometry that does not fit the kind, before a norm is computed from it."""
        if self.kind not in SPATIAL_AXES:
            raise InvalidComponentError(
                f"linear map {self.name!r}: kind {self.kind!r} is none of {', '.join(SPATIAL_AXES)}"
            )
        axes = SPATIAL_AXES[self.kind]
        if self.weight.ndim != 2 + axes:
            raise InvalidComponentError(
                f"linear map {self.name!r}: a {self.kind} weight has {2 + axes} axes, got {self.weight.ndim}"
            )
        for field_name in ("input_size", "stride", "padding", "dilation"):
            if len(getattr(self, field_name)) != axes:
                raise InvalidComponentError(
                    f"linear map {self.name!r}: `{field_name}` of a {self.kind} map holds {axes} entries, "
                    f"got {getattr(self, field_name)!r}"
                )

    def matrix(self) -> Tensor:
        """Return the weight as a matrix: (out, in) or, for a kernel, (out, in/groups * kh * kw)."""
        return self.weight.flatten(start_dim=1)


LayerRule = Callable[["nn.Module", str, "tuple[int, ...]"], "Sequence[LinearMap]"]
"""(layer, its dotted name, shape of its input without the batch axis) -> its linear maps; () excludes it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Architecture(Component):
    """A network. `build(params, task)` returns a plain `nn.Module` in float32 on the CPU.

    The module maps (batch, *task.input_shape) to (batch, task.num_outputs) and draws its initial weights
    from torch's global generator, which the platform seeds beforehand. In evaluation mode the answer to
    one example does not depend on the others in the batch, nor on any random draw.

    A layer type with weights that normlaw has no rule for needs one: `layer_rules` returns rules for layer
    types, or `linear_maps` replaces the tracing altogether for this architecture.

    Raises:
        InvalidComponentError: as `Component` does, or a preset holds parameters that are not allowed.

    """

    kind: ClassVar[str] = "architecture"
    functions: ClassVar[tuple[str, ...]] = ("build", "layer_rules", "linear_maps")

    build: Callable[[Any, Task], nn.Module]
    """(params, task) -> network. Import torch inside. Raise `InputError` for a task it cannot serve."""
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Named settings: preset name -> parameters."""
    layer_rules: Callable[[], Mapping[type[nn.Module], LayerRule]] | None = None
    """Rules for layer types of this architecture, by class; they go before the built-in rules."""
    linear_maps: Callable[[nn.Module, Task], Sequence[LinearMap]] | None = None
    """The network's linear maps in forward order, where tracing would not find them."""

    def __post_init__(self) -> None:
        """Refuse presets that could never be built."""
        super().__post_init__()
        for preset, values in self.presets.items():
            try:
                self.params.model_validate(dict(values))
            except (ValidationError, TypeError, ValueError) as error:
                raise InvalidComponentError(
                    f"architecture {self.name!r}, preset {preset!r}: {error}"
                ) from error
