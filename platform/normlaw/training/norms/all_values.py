"""All singular values of a layer's matrix."""

from __future__ import annotations

import torch

from normlaw.training.norms.entries import not_finite
from normlaw_registry import LinearMap


def all_singular_values(linear_map: LinearMap) -> tuple[float, ...]:
    """Return the min(out, in) singular values of `linear_map.matrix()`, the largest first.

    They are LAPACK's, in float64 on the CPU, wherever the network is: a Gram matrix would square the small
    ones away, which an entropy needs.

    Raises:
        NormlawError: an entry is not finite; names the layer.

    """
    matrix = linear_map.matrix().to("cpu", torch.float64)  # (out, in)
    if not matrix.isfinite().all():
        raise not_finite(linear_map)
    return tuple(torch.linalg.svdvals(matrix).tolist())
