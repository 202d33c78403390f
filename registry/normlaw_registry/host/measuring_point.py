"""The host's side of a measuring point: all parts that a measure may ask for, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from normlaw_registry.callback import Follower
from normlaw_registry.complexity import EntryNorms, MeasuredValue
from normlaw_registry.dataset import Split, Task
from normlaw_registry.linear_map import LinearMap

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuringPoint:
    """A `MeasurementContext` with every part; what the parts are is said there."""

    linear_maps: Sequence[LinearMap]
    initial_linear_maps: Sequence[LinearMap]
    entry_norms: Callable[[LinearMap], EntryNorms]
    moved_entry_norms: Callable[[LinearMap], EntryNorms]
    kernel_norm: Callable[[LinearMap], MeasuredValue]
    operator_norm: Callable[[LinearMap], MeasuredValue]
    singular_values: Callable[[LinearMap], Sequence[float]]
    network: nn.Module
    task: Task
    train_batches: Callable[[], Iterable[Split]]
    train_labels: Tensor
    train_logits: Callable[[], Tensor]
    temperature: float = 1.0
    follower: Follower | None = None
