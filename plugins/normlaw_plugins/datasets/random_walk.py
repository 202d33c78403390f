"""Walks on a random graph, whose least loss is known in closed form."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from normlaw_registry import Dataset, DatasetInfo, LoadContext, Params, Splits, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RandomWalkParams(Params):
    """Parameters of `random_walk`."""

    vertices: int = Field(64, ge=3, le=1024, description="V, the number of vertices, which are the tokens")
    degree: float = Field(6.0, ge=2, le=1023, description="mean number of a vertex's neighbours, at least 2")
    length: int = Field(64, ge=1, le=10**5, description="T, the tokens of a walk at which the next is foretold")
    graph: int = Field(0, ge=0, le=2**31, description="number of the graph, from which its edges are drawn")
    test_size: int = Field(1000, ge=1, le=10**6, description="number of test walks")

    @model_validator(mode="after")
    def _room_for_edges(self) -> RandomWalkParams:
        if self.degree > self.vertices - 1:
            raise ValueError(f"a vertex of {self.vertices} has at most {self.vertices - 1} neighbours")
        return self


@lru_cache(maxsize=4)
def degrees_and_transitions(params: RandomWalkParams) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the vertices' degrees, (V,), and the walk's transitions, (V, V); not to be written to.

    A ring through all vertices in a random order keeps the graph in one piece; the other edges are drawn among
    all pairs, each as likely as another.
    """
    import numpy as np

    drawn = np.random.default_rng(np.random.SeedSequence(params.graph, spawn_key=(1,)))
    V = params.vertices
    adjacent = np.zeros((V, V), dtype=bool)
    ring = drawn.permutation(V)
    adjacent[ring, np.roll(ring, 1)] = True
    adjacent |= adjacent.T
    first, second = np.triu_indices(V, 1)
    free = ~adjacent[first, second]
    others = np.flatnonzero(free)
    chosen = drawn.permutation(others)[: max(0, round(params.degree * V / 2) - V)]
    adjacent[first[chosen], second[chosen]] = True
    adjacent |= adjacent.T
    degrees = adjacent.sum(axis=1).astype(np.float64)
    return degrees, adjacent / degrees[:, None]


def info(params: RandomWalkParams) -> DatasetInfo:
    """Return the task, the number of test walks, and the walk's entropy rate sum_v d_v ln d_v / sum_v d_v."""
    import numpy as np

    degrees, _ = degrees_and_transitions(params)
    task = Task(input_shape=(params.length,), kind="next_token", vocabulary=params.vertices)
    floor = float(degrees @ np.log(degrees) / degrees.sum())
    return DatasetInfo(task=task, test_size=params.test_size, loss_floor=floor)


def load_random_walk(params: RandomWalkParams, context: LoadContext) -> Splits:
    """Return stationary walks on one graph, inputs and labels (n, T) int16.

    A walk goes from a vertex to each of its d_v neighbours with the same probability, and begins at v with the
    probability d_v / sum_u d_u, which it keeps. The graph is drawn by its number, walks by a run's seed.
    """
    from normlaw_plugins.datasets.token_chains import chain_splits

    degrees, transitions = degrees_and_transitions(params)
    return chain_splits(info(params).task, params.test_size, context, transitions, degrees / degrees.sum())


RANDOM_WALK = Dataset(
    name="random_walk",
    summary="Walks on a random graph; their entropy rate, the least loss, is known in closed form",
    source="Cover, Thomas 2006, section 4.3 (entropy rate of a random walk)",
    formula=r"h = \frac{\sum_v d_v \ln d_v}{\sum_v d_v}, \quad P(v \to u) = 1 / d_v \text{ for neighbours}",
    params=RandomWalkParams,
    load=load_random_walk,
    info=info,
    seeded=True,
)
