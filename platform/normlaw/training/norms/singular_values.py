"""The singular values of a network's maps at successive measuring points, each warm-started from the last."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from normlaw.training.norms.convolution import Convolution
from normlaw.training.norms.entries import all_zero, not_finite
from normlaw.training.norms.kernel import largest_singular_value
from normlaw.training.norms.lanczos import largest_singular_pair
from normlaw_registry import LinearMap, MeasuredValue

DENSE_TOLERANCE = 1e-12
ITERATION_TOLERANCE = 1e-7


class SingularValues:
    """Largest singular values of linear maps; holds the vectors that the next measuring point starts from.

    The same weights and the same state give the same bits.
    """

    def __init__(self) -> None:
        self._vectors: dict[str, Tensor] = {}

    def kernel_norm(self, linear_map: LinearMap) -> MeasuredValue:
        """Return the log of the largest singular value of `linear_map.matrix()`.

        Raises:
            NormlawError: the weight is zero or not finite; names the layer.

        """
        value = largest_singular_value(linear_map.matrix())
        return MeasuredValue(log_value=_log(value, linear_map), tolerance=DENSE_TOLERANCE)

    def operator_norm(self, linear_map: LinearMap) -> MeasuredValue:
        """Return the log of the largest singular value of the map as it is applied.

        Raises:
            NormlawError: the weight is zero or not finite; names the layer.

        """
        if linear_map.kind == "dense":
            return self.kernel_norm(linear_map)
        scale = float(linear_map.weight.abs().max())
        _log(scale, linear_map)
        convolution = Convolution(linear_map.weight, linear_map).to(torch.float64, scale)
        shape = convolution.input_shape

        def normal(x: Tensor) -> Tensor:
            return convolution.adjoint(convolution.apply(x.view(1, *shape))).flatten()

        start = self._vectors.get(linear_map.name)
        if start is None:
            generator = torch.Generator().manual_seed(0)
            start = torch.randn(math.prod(shape), generator=generator, dtype=torch.float64)
        value, vector, error = largest_singular_pair(normal, start.to(convolution.weight), ITERATION_TOLERANCE)
        self._vectors[linear_map.name] = vector
        return MeasuredValue(
            log_value=_log(value * scale, linear_map),
            exactness="exact" if error <= ITERATION_TOLERANCE else "estimate",
            tolerance=max(error, DENSE_TOLERANCE),
        )

    def state_dict(self) -> dict[str, Tensor]:
        """Return the vectors that the next measuring point starts from, by the map's name."""
        return dict(self._vectors)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over the vectors of another instance."""
        self._vectors = dict(state)


def _log(value: float, linear_map: LinearMap) -> float:
    if value == 0.0:
        raise all_zero(linear_map)
    if not math.isfinite(value):
        raise not_finite(linear_map)
    return math.log(value)
