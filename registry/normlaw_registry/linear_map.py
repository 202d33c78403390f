"""One linear map of a network, as it is applied: what it does, and what it takes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Literal, cast

from normlaw_registry.errors import InvalidComponentError
from normlaw_registry.former_names import former_names

if TYPE_CHECKING:
    from torch import Tensor, nn

Operation = Literal["dense", "conv1d", "conv2d"]

SPATIAL_AXES: dict[str, int] = {"dense": 0, "conv1d": 1, "conv2d": 2}
"""Operation -> number of its spatial axes, which is the length of all its geometry tuples."""


@former_names(kind="operation")
@dataclass(frozen=True, kw_only=True, eq=False)
class LinearMap:
    """One linear map of a network, as it is applied: all that a complexity measure may know of a layer.

    The weight is that of the forward pass in evaluation mode: a normalisation with running statistics
    that follows the layer is already folded into it. Biases are no part of it. Two are equal only when
    they are one object, so that they can be keys of a cache.

    Raises:
        InvalidComponentError: the weight's axes or the length of a geometry tuple do not fit the operation.

    """

    name: str
    """The layer's dotted name in the network, with a suffix for its parts: 'encoder.0.attention.query'."""
    operation: Operation
    """What it does to an input: a product with a matrix, or a convolution along so many axes."""
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
    transposed: bool = False
    """Whether a convolution is the transposed one: its `stride` makes outputs larger than inputs."""
    output_padding: tuple[int, ...] = ()
    """Of a transposed convolution, along each spatial axis: outputs at the far end; () for none."""
    lipschitz: float = 1.0
    """Lipschitz constant of the nonlinearity that follows (rho_i in Bartlett et al. 2017, eq. 1.2)."""

    def __post_init__(self) -> None:
        """Refuse a geometry that does not fit the operation, before a norm is computed from it."""
        if self.operation not in SPATIAL_AXES:
            raise InvalidComponentError(
                f"linear map {self.name!r}: operation {self.operation!r} is none of {', '.join(SPATIAL_AXES)}"
            )
        axes = SPATIAL_AXES[self.operation]
        if self.weight.ndim != 2 + axes:
            raise InvalidComponentError(
                f"linear map {self.name!r}: a {self.operation} weight has {2 + axes} axes, "
                f"got {self.weight.ndim}"
            )
        if self.transposed and (axes == 0 or self.padding_mode != "zeros"):
            raise InvalidComponentError(
                f"linear map {self.name!r}: a transposed map is a convolution, and pads with zeros"
            )
        for field_name in ("input_size", "stride", "padding", "dilation"):
            if len(getattr(self, field_name)) != axes:
                raise InvalidComponentError(
                    f"linear map {self.name!r}: `{field_name}` of a {self.operation} map holds {axes} entries, "
                    f"got {getattr(self, field_name)!r}"
                )

    def matrix(self) -> Tensor:
        """Return the weight as a matrix: (out, in) or, for a kernel, (out, in/groups * kh * kw)."""
        return self.weight.flatten(start_dim=1)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input: (in,), or (channels, *input_size)."""
        return (self.weight.shape[1] * self.groups, *self.input_size)

    def apply(self, x: Tensor) -> Tensor:
        """Return A x in the weight's precision, (batch, out) or (batch, out, *output_size).

        Args:
            x: (batch, *input_shape), of the weight's precision and on its device.

        """
        from torch.nn import functional

        if self.operation == "dense":
            return functional.linear(x, self.weight)
        if self.transposed:
            return self._apply_transposed(x)
        convolve = functional.conv1d if self.operation == "conv1d" else functional.conv2d
        return convolve(
            self._padded(x), self.weight, stride=self.stride, dilation=self.dilation, groups=self.groups
        )

    def adjoint(self, y: Tensor) -> Tensor:
        """Return A^T y, (batch, *input_shape), for y of the shape that `apply` returns."""
        import torch

        origin = y.new_zeros(len(y), *self.input_shape)
        return cast("Tensor", torch.func.vjp(self.apply, origin)[1](y)[0])

    def normal(self, x: Tensor) -> Tensor:
        """Return A^T A x, (batch, *input_shape): `adjoint` of `apply`, at the cost of one of each."""
        import torch

        applied = torch.func.vjp(self.apply, x)  # (A x, y -> A^T y)
        return cast("Tensor", applied[1](applied[0])[0])

    def applied_matrix(self) -> Tensor:
        """Return A as a matrix in the weight's precision, (outputs, inputs), a column a unit input.

        It is `matrix()` for a dense map; of a convolution it has every output position: for small inputs.
        """
        import torch

        inputs = prod(self.input_shape)
        units = torch.eye(inputs, dtype=self.weight.dtype, device=self.weight.device)
        return self.apply(units.reshape(inputs, *self.input_shape)).flatten(1).T

    def _apply_transposed(self, x: Tensor) -> Tensor:
        from torch.nn import functional

        convolve = functional.conv_transpose1d if self.operation == "conv1d" else functional.conv_transpose2d
        grouped = self.weight.reshape(
            self.groups, -1, *self.weight.shape[1:]
        )  # (groups, out/groups, in/groups, *kernel)
        return convolve(
            x,
            grouped.transpose(1, 2).flatten(0, 1),  # (in, out/groups, *kernel), as torch has it
            stride=self.stride,
            padding=tuple(before for before, _ in self.padding),
            output_padding=self.output_padding or (0,) * len(self.stride),
            groups=self.groups,
            dilation=self.dilation,
        )

    def _padded(self, x: Tensor) -> Tensor:
        from torch.nn import functional

        if not any(any(sides) for sides in self.padding):
            return x
        edges = [edge for sides in reversed(self.padding) for edge in sides]  # torch begins with the last axis
        return functional.pad(x, edges, mode="circular" if self.padding_mode == "circular" else "constant")


LayerRule = Callable[["nn.Module", str, "tuple[int, ...]"], "Sequence[LinearMap]"]
"""(layer, its dotted name, shape of its input without the batch axis) -> its linear maps; () excludes it."""
