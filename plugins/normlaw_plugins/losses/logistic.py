"""The logistic loss of each class against the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normlaw_plugins.losses.signs import signed_outputs
from normlaw_registry import Loss, Params

if TYPE_CHECKING:
    from torch import Tensor


def mean(_params: Params, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean over examples of the sum over outputs, a scalar.

    For one output it is log(1 + exp(-y f)), where `cross_entropy` has log(1 + exp(-2 y f)).
    """
    from torch.nn.functional import softplus

    return softplus(-signed_outputs(outputs, targets)).sum(dim=1).mean()


LOGISTIC = Loss(
    name="logistic",
    summary="Logistic loss of each class against the rest",
    source="Bartlett, Jordan, McAuliffe 2006, section 3 (two classes); one against the rest for more",
    formula=r"\ell = \sum_k \log\left(1 + e^{-y_k f_k}\right), \quad "
    r"y_k = +1 \text{ for the right class, else } -1",
    mean=mean,
)
