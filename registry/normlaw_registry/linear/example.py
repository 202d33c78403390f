"""What a network is applied to once, so that its layers are seen at work: zeros, or a given example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from normlaw_registry.errors import InputError


@dataclass(frozen=True)
class Example:
    """The arguments of one call of a network, for one example."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def zeros(cls, input_shape: tuple[int, ...]) -> Self:
        """Return one input of zeros, (1, *input_shape)."""
        return cls((torch.zeros(1, *input_shape),))

    @classmethod
    def of(cls, batch: Tensor | Sequence[Any] | Mapping[str, Any]) -> Self:
        """Return the first example of a batch.

        Args:
            batch: what the network is called with: a tensor (b, ..), a sequence of positional arguments, or a
                mapping of keyword arguments; each tensor in it has the batch as its first axis.

        Raises:
            InputError: there is no tensor in it, or they are of several lengths.

        """
        lengths = {len(leaf) for leaf in tree_leaves(batch) if isinstance(leaf, Tensor) and leaf.dim()}
        if len(lengths) != 1 or 0 in lengths:
            what = "tensors of several lengths" if len(lengths) > 1 else "no example"
            raise InputError(
                f"the example batch holds {what}: give what the model is called with, a tensor, a tuple of "
                "arguments or a mapping of keyword arguments, each tensor with the batch as its first axis"
            )
        first = tree_map(lambda leaf: leaf[:1] if isinstance(leaf, Tensor) and leaf.dim() else leaf, batch)
        if isinstance(first, Mapping):
            return cls(kwargs=dict(first))
        return cls((first,) if isinstance(first, Tensor) else tuple(first))

    def fitted(self, network: nn.Module) -> Self:
        """Return the same on the device of the network's weights, floating point numbers in their precision."""
        probe = next((p for p in network.parameters() if p.is_floating_point()), torch.empty(0))

        def fit(leaf: Any) -> Any:
            if not isinstance(leaf, Tensor):
                return leaf
            return leaf.detach().to(probe.device, probe.dtype if leaf.is_floating_point() else leaf.dtype)

        args, kwargs = tree_map(fit, (self.args, dict(self.kwargs)))
        return type(self)(tuple(args), kwargs)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the first tensor in it without the batch axis."""
        first = next(leaf for leaf in tree_leaves((self.args, dict(self.kwargs))) if isinstance(leaf, Tensor))
        return tuple(first.shape[1:])
