"""Sequences of a Markov chain: what is drawn, and how uncertain the next token is, exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from normlaw_plugins.datasets.endless import BLOCK, in_blocks
from normlaw_registry import LoadContext, Split, Splits, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AT_ONCE = 4096
"""Sequences that are drawn together."""


def stationary(transitions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distribution pi, (S,), that a chain keeps: pi P = pi, of sum 1.

    Args:
        transitions: P, (S, S), each row of sum 1, of a chain that comes from each state to each other one.

    """
    import numpy as np

    states = len(transitions)
    balance = np.vstack([transitions.T - np.eye(states), np.ones(states)])  # (S + 1, S)
    found: NDArray[np.float64] = np.linalg.lstsq(balance, np.append(np.zeros(states), 1.0), rcond=None)[0]
    kept = np.clip(found, 0.0, None)
    share: NDArray[np.float64] = kept / kept.sum()
    return share


def entropy(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the entropy in nats of each distribution of the last axis; 0 ln 0 is 0."""
    import numpy as np

    logs = np.log(np.where(probabilities > 0, probabilities, 1.0))
    found: NDArray[np.float64] = -(probabilities * logs).sum(axis=-1)
    return found


def entropy_rate(transitions: NDArray[np.float64], start: NDArray[np.float64]) -> float:
    """Return the entropy of the next token given the present one, in nats: sum_s pi_s H(P_s).

    Args:
        transitions: P, (V, V).
        start: pi, (V,), the stationary distribution.

    """
    return float(start @ entropy(transitions))


def sequences(
    count: int,
    places: int,
    transitions: NDArray[np.float64],
    start: NDArray[np.float64],
    stream: np.random.Generator,
) -> Split:
    """Return stationary sequences, (count, places), and the tokens that follow; each row is drawn by itself."""
    import numpy as np
    import torch

    steps = transitions.cumsum(axis=1)  # (V, V)
    first, last = start.cumsum(), len(start) - 1
    tokens = np.empty((count, places + 1), dtype=np.int16)
    for begin in range(0, count, AT_ONCE):
        draws = stream.random((min(AT_ONCE, count - begin), places + 1))
        state = np.minimum(np.searchsorted(first, draws[:, 0], side="right"), last)
        part = tokens[begin : begin + AT_ONCE]
        part[:, 0] = state
        for place in range(1, places + 1):
            state = np.minimum((steps[state] <= draws[:, place, None]).sum(axis=1), last)
            part[:, place] = state
    both = torch.from_numpy(tokens)
    return Split(inputs=both[:, :-1].contiguous(), labels=both[:, 1:].contiguous())


def chain_splits(
    task: Task,
    test_size: int,
    context: LoadContext,
    transitions: NDArray[np.float64],
    start: NDArray[np.float64],
) -> Splits:
    """Return training, test and fresh sequences of one chain; each has a stream of its own."""
    import numpy as np

    def stream(*place: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(context.seed, spawn_key=place))

    def draw(size: int, *place: int) -> Split:
        return sequences(size, task.input_shape[0], transitions, start, stream(*place))

    fresh: Callable[[int, int], Split] = in_blocks(lambda number: draw(BLOCK, 2, number))
    return Splits(task=task, train=draw(context.train_size, 0), test=draw(test_size, 1), fresh=fresh)
