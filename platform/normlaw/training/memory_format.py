"""Which memory format a network has on its device: the one asked for, unless torch computes wrongly in it.

A network with a convolution whose gradient is wrong there (see `normlaw_registry.linear.channels_last`) stays
contiguous on a CPU, whatever instructions the processor has: a run is laid out the same way everywhere. Padded
and grouped ones, right wherever they were tried, count too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from normlaw.study.run_options import Compute
from normlaw_registry import Task
from normlaw_registry.linear.channels_last import LANES, UPSTREAM, endangered

RULE = 1
"""Counts the changes of the rule: a run is not gone on with under another one."""

Layout = Literal["channels_last", "contiguous"]


@dataclass(frozen=True)
class MemoryFormat:
    """What a network's images and weights are laid out as."""

    used: Layout
    reason: str = ""
    """Why it is not the one asked for."""
    endangered: bool = False
    """Whether channels-last images would damage the heap, whoever lays them out so."""

    @property
    def torch(self) -> torch.memory_format:
        """As torch names it."""
        return torch.channels_last if self.used == "channels_last" else torch.contiguous_format


STACKED = MemoryFormat("contiguous", "stacked weights have five axes, for which channels_last is no format")


def memory_format(network: nn.Module, compute: Compute, device: str, task: Task) -> MemoryFormat:
    """Return the format of a network, which is on the CPU still, in contiguous format.

    Args:
        network: as it was built.
        compute: what was asked for.
        device: where it is to be trained.
        task: what it is for; it is applied once, to zeros.

    Raises:
        InputError: the network itself lays out channels-last what a convolution is given that cannot take it.

    """
    asked: Layout = "channels_last" if compute.channels_last else "contiguous"
    if not any(parameter.dim() == 4 for parameter in network.parameters()):
        return MemoryFormat("contiguous", "no weight has four axes" if compute.channels_last else "")
    if torch.device(device).type != "cpu":
        return MemoryFormat(asked)
    found = endangered(network, task)
    if not found:
        return MemoryFormat(asked)
    reason = f"{found}, whose gradient oneDNN computes wrongly in channels_last: {UPSTREAM}"
    return MemoryFormat("contiguous", reason if compute.channels_last else "", endangered=True)


def untouched(weights: Iterable[Tensor]) -> bool:
    """Return whether a network with these weights was laid out the same before there was a rule."""
    return not any(
        weight.dim() == 4 and weight.shape[1] < LANES and tuple(weight.shape[2:]) == (1, 1)
        for weight in weights
    )
