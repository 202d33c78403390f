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
    AUGMENTATION = 3
    """changes of the training images, by optimiser step"""
    TEST_AUGMENTATION = 4
    """changes of the test images, by optimiser step"""
    LABEL_NOISE = 5
    """which training labels are wrong"""


def generator(seed: int, stream: Stream, step: int | None = None) -> np.random.Generator:
    """Return the generator of one stream of a run, or of the stream's part for one optimiser step."""
    return np.random.default_rng([stream, seed] if step is None else [stream, seed, step])


def torch_seed(seed: int, stream: Stream) -> int:
    """Return the seed of one stream for torch's own generators, below 2^63."""
    return int(generator(seed, stream).integers(2**63 - 1))
