"""Classes as signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def signed(classes: Tensor) -> Tensor:
    """Return classes in {0, 1} as y in {-1.0, +1.0}, (b,)."""
    return 2.0 * classes - 1.0


def signed_outputs(outputs: Tensor, classes: Tensor) -> Tensor:
    """Return y_k f_k, (b, num_outputs): y_k is +1 for the class k of an example and -1 for the others."""
    from torch.nn.functional import one_hot

    if outputs.shape[1] == 1:
        return signed(classes)[:, None].to(outputs.dtype) * outputs
    return signed(one_hot(classes, outputs.shape[1])).to(outputs.dtype) * outputs
