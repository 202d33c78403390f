"""Architectures: networks, with rules for the linear maps that measures see of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from pydantic import ValidationError

from normlaw_registry.component import Component, P
from normlaw_registry.errors import InvalidComponentError
from normlaw_registry.linear_map import LayerRule, LinearMap

if TYPE_CHECKING:
    from torch import nn

    from normlaw_registry.dataset import Task, TaskKind


@dataclass(frozen=True, kw_only=True, eq=False)
class Architecture(Component[P], Generic[P]):
    """A network. `build(params, task)` returns a plain `nn.Module` in float32 on the CPU.

    The module maps (batch, *task.input_shape) to (batch, *task.output_shape) and draws its initial weights
    from torch's global generator, which the platform seeds beforehand. In evaluation mode the answer to
    one example does not depend on the others in the batch, nor on any random draw.

    A layer type with weights that normlaw has no rule for needs one: `layer_rules` returns rules for layer
    types, or `linear_maps` replaces the tracing altogether for this architecture.

    Raises:
        InvalidComponentError: as `Component` does, or a preset holds parameters that are not allowed.

    """

    kind: ClassVar[str] = "architecture"
    functions: ClassVar[tuple[str, ...]] = ("build", "layer_rules", "linear_maps")

    build: Callable[[P, Task], nn.Module]
    """(params, task) -> network. Import torch inside. Raise `InputError` for a task it cannot serve."""
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Named settings: preset name -> parameters."""
    layer_rules: Callable[[], Mapping[type[nn.Module], LayerRule]] | None = None
    """Rules for layer types of this architecture, by class; they go before the built-in rules."""
    linear_maps: Callable[[nn.Module, Task], Sequence[LinearMap]] | None = None
    """The network's linear maps in forward order, where tracing would not find them."""
    tasks: tuple[TaskKind, ...] = ("classification", "regression")
    """The kinds of task that it may be built for; a study with another one is refused before that. A network
    for "next_token" is given tokens, (batch, T) int64, and answers (batch, T, task.vocabulary); its answer at a
    place does not depend on later tokens."""

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
