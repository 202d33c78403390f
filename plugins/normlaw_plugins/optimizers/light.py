"""torch's optimisers without the import of its compiler."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

WRAPPED = ("add_param_group", "load_state_dict", "state_dict")
"""Methods of torch's optimisers, besides `step` and `zero_grad`, that are called through the compiler."""


@cache
def light(kind: Any) -> Callable[..., torch.optim.Optimizer]:
    """Return torch's optimiser with the same updates, whose methods do not import torch's compiler.

    Around each of them torch puts a function that imports `torch._dynamo` to keep the compiler out: most of a
    second for each worker, which compiles no optimiser.
    """
    import torch

    own_step, own_zero_grad = inspect.unwrap(kind.step), inspect.unwrap(kind.zero_grad)

    def step(self: torch.optim.Optimizer) -> None:
        with torch.no_grad():
            own_step(self)

    def zero_grad(self: torch.optim.Optimizer, set_to_none: bool = True) -> None:
        if not set_to_none:
            own_zero_grad(self, set_to_none=False)
            return
        for group in self.param_groups:  # torch tells its profiler, too, which takes longer
            for weight in group["params"]:
                weight.grad = None

    # As if torch had put it into what asks for hooks and tells its profiler: a tenth of a small network's time.
    step.hooked = True  # type: ignore[attr-defined]
    plain = {name: inspect.unwrap(getattr(kind, name)) for name in WRAPPED}
    return type(kind.__name__, (kind,), {"step": step, "zero_grad": zero_grad, **plain})
