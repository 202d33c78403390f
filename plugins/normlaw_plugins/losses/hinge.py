"""The hinge loss of the margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_plugins.losses.signs import signed
from normlaw_registry import Loss, Params

if TYPE_CHECKING:
    from torch import Tensor


class HingeParams(Params):
    """Where it ends."""

    margin: float = Field(1.0, gt=0, description="margin from which on an example costs nothing")


def mean(params: HingeParams, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of max(0, margin - m), a scalar.

    The margin m of an example is y f for one output; for more of them the right output less the largest other.
    """
    import torch
    from torch.nn.functional import one_hot

    if outputs.shape[1] == 1:
        margins = signed(targets) * outputs[:, 0]  # (b,)
    else:
        right = one_hot(targets, outputs.shape[1]).bool()  # (b, num_outputs)
        of_right = torch.where(right, outputs, 0.0).sum(dim=1)
        margins = of_right - torch.where(right, -torch.inf, outputs).amax(dim=1)
    return torch.relu(params.margin - margins).mean()


HINGE = Loss(
    name="hinge",
    summary="Hinge loss: what the margin lacks",
    source="Crammer, Singer 2001, equation 4",
    formula=r"\ell = \max\left(0,\; m - f_c + \max_{k \neq c} f_k\right)",
    params=HingeParams,
    mean=mean,
)
