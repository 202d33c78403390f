"""Several optimisers as one, each for weights of its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class View(NamedTuple):
    """A weight, and the same numbers as the matrix that an optimiser updates."""

    parameter: Tensor
    matrix: Tensor

    def pass_gradient(self) -> None:
        """Lay the weight's gradient out as the matrix."""
        gradient = self.parameter.grad
        if gradient is not None:
            laid_out = gradient if self.parameter.is_contiguous() else gradient.movedim(1, -1)
            gradient = laid_out.reshape(self.matrix.shape)
        self.matrix.grad = gradient


def as_matrix(weight: Tensor) -> Tensor:
    """Return a weight as a matrix in the same memory, (out, rest); the order of its columns is the memory's."""
    own = weight.detach()
    return (own if own.is_contiguous() else own.movedim(1, -1)).view(len(own), -1)


def joined(parts: Sequence[torch.optim.Optimizer], views: Sequence[View] = ()) -> torch.optim.Optimizer:
    """Return optimisers as one: its groups and its state are theirs.

    Args:
        parts: the optimisers.
        views: of the weights that one of them updates as matrices.

    """
    one: torch.optim.Optimizer = _kind()(list(parts), list(views))
    return one


@cache
def _kind() -> Any:  # noqa: C901  # a class whose base is imported here, and no decision at all
    import torch

    class Joined(torch.optim.Optimizer):
        def __init__(self, parts: list[torch.optim.Optimizer], views: list[View]) -> None:
            self._parts, self._views = parts, views

        @property
        def param_groups(self) -> list[dict[str, Any]]:  # type: ignore[override]
            return [group for part in self._parts for group in part.param_groups]

        @property
        def state(self) -> dict[Any, Any]:  # type: ignore[override]
            return {weight: values for part in self._parts for weight, values in part.state.items()}

        def zero_grad(self, set_to_none: bool = True) -> None:
            for part in self._parts:
                part.zero_grad(set_to_none)
            for view in self._views:
                view.parameter.grad = None

        def step(self, closure: None = None) -> None:  # type: ignore[override]
            del closure
            for view in self._views:
                view.pass_gradient()
            for part in self._parts:
                part.step()

        def state_dict(self) -> dict[str, Any]:
            return {"parts": [part.state_dict() for part in self._parts]}

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            for part, state in zip(self._parts, state_dict["parts"], strict=True):
                part.load_state_dict(state)

    return Joined
