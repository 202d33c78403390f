"""The maps of a network, each read off its layers when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

from torch import nn

from normlaw_registry.linear.rules import batch_norm_scale
from normlaw_registry.linear_map import LayerRule, LinearMap


@dataclass(frozen=True)
class Step:
    """One call of a layer: how its maps are read off a network of this shape."""

    layer: str
    rule: LayerRule
    shape: tuple[int, ...]
    parts: int
    """How many maps the rule returns."""
    repeat: int = 1
    batch_norm: str | None = None
    lipschitz: float = 1.0

    def maps(self, network: nn.Module) -> Sequence[LinearMap]:
        """Return the maps of this call, its normalisation folded in."""
        maps = self._unfolded(network)
        if self.batch_norm is not None:
            weight = maps[-1].weight
            scale = batch_norm_scale(network.get_submodule(self.batch_norm)).to(weight)  # (out,)
            maps[-1] = replace(maps[-1], weight=weight * scale.reshape(-1, *(1,) * (weight.dim() - 1)))
        maps[-1] = replace(maps[-1], lipschitz=maps[-1].lipschitz * self.lipschitz)
        if self.repeat > 1:
            maps = [replace(m, name=name) for m, name in zip(maps, self._named(maps), strict=True)]
        return maps

    def names(self, network: nn.Module) -> list[str]:
        """Return the names of the maps of this call: for them nothing is folded, which copies every weight."""
        return self._named(self._unfolded(network))

    def _unfolded(self, network: nn.Module) -> list[LinearMap]:
        return [*self.rule(network.get_submodule(self.layer), self.layer, self.shape)]

    def _named(self, maps: Sequence[LinearMap]) -> list[str]:
        return [f"{m.name}@{self.repeat}" if self.repeat > 1 else m.name for m in maps]


class LinearMaps(Sequence[LinearMap]):
    """The maps of one network at one time, each built when it is asked for.

    So at most one folded weight is held at a time, and none when nothing is folded.
    """

    def __init__(self, network: nn.Module, steps: Sequence[Step]) -> None:
        self._network = network
        self._steps = steps
        self._index = [(step, part) for step in steps for part in range(step.parts)]

    @property
    def names(self) -> list[str]:
        """The name of each map; no weight is folded for it."""
        return [name for step in self._steps for name in step.names(self._network)]

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, index: int) -> LinearMap: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[LinearMap]: ...
    def __getitem__(self, index: int | slice) -> LinearMap | Sequence[LinearMap]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        step, part = self._index[index]
        return step.maps(self._network)[part]

    def __iter__(self) -> Iterator[LinearMap]:
        for step in self._steps:
            yield from step.maps(self._network)
