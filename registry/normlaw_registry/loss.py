"""Losses: what training makes small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, get_args

from normlaw_registry.component import Component, P
from normlaw_registry.errors import InvalidComponentError

if TYPE_CHECKING:
    from torch import Tensor

Targets = Literal["classes", "numbers"]
"""What is learnt: one of several classes, or real numbers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Loss(Component[P], Generic[P]):
    """A loss. `mean(params, outputs, targets)` is the mean over a batch of what it is for each example.

    It is finite for finite outputs, in their precision, and can be differentiated in them. It draws nothing at
    random, and leaves its arguments as they are.

    Raises:
        InvalidComponentError: as `Component` does, or `targets` is no tuple of `Targets`.

    """

    kind: ClassVar[str] = "loss"
    functions: ClassVar[tuple[str, ...]] = ("mean",)

    mean: Callable[[P, Tensor, Tensor], Tensor]
    """(params, outputs, targets) -> a scalar. Outputs are (b, num_outputs) in floating point; for two classes
    one output f, whose sign is the answer. Targets are classes, (b,) int64; or real numbers in the outputs'
    precision, (b, num_outputs) or, for one output, (b,). Of sequences it is given each token as an example, its
    classes the vocabulary. Import torch inside."""
    targets: tuple[Targets, ...] = ("classes",)
    """What it can be taken of; a study with another kind of targets is refused."""
    stacks: bool = True
    """Whether it can be taken under `torch.vmap`, so that runs train as one: no Python `if` may look at a
    tensor's values. Runs of a loss that cannot are trained one by one."""

    def __post_init__(self) -> None:
        """Refuse targets that there are none of."""
        super().__post_init__()
        known = get_args(Targets)
        if not isinstance(self.targets, tuple) or not self.targets or set(self.targets) - set(known):
            raise InvalidComponentError(
                f"loss {self.name!r}: `targets` must be a tuple of {' and '.join(map(repr, known))}, got "
                f"{self.targets!r}"
            )
