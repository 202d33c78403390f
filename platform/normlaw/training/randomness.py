"""A run's random streams: one seed, and nothing that one stream draws moves another."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a stream is for. The numbers belong to every run's identity and never change."""

    SUBSET = 0
    """which training examples"""
    NETWORK = 1
    """initial weights, dropout"""
    ORDER = 2
    """the order of the examples in each epoch"""


def generator(seed: int, stream: Stream) -> np.random.Generator:
    """Return the generator of one stream of a run."""
    return np.random.default_rng([stream, seed])


def torch_seed(seed: int, stream: Stream) -> int:
    """Return the seed of one stream for torch's own generators, below 2^63."""
    return int(generator(seed, stream).integers(2**63 - 1))
