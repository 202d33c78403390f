"""Sequences of a random Markov chain, whose least loss is known."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_registry import Dataset, DatasetInfo, LoadContext, Params, Splits, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class MarkovParams(Params):
    """Parameters of `markov`."""

    vocabulary: int = Field(32, ge=2, le=1024, description="V, the number of tokens, which are the states")
    length: int = Field(
        64, ge=1, le=10**5, description="T, the tokens of a sequence at which the next is foretold"
    )
    concentration: float = Field(
        0.3,
        gt=0,
        le=1000,
        description="of the Dirichlet distribution of each row: small ones leave few successors",
    )
    chain: int = Field(0, ge=0, le=2**31, description="number of the chain, from which its rows are drawn")
    test_size: int = Field(1000, ge=1, le=10**6, description="number of test sequences")


@lru_cache(maxsize=4)
def chain_of(params: MarkovParams) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the chain's transitions, (V, V), and its stationary distribution, (V,); not to be written to."""
    import numpy as np

    from normlaw_plugins.datasets.token_chains import stationary

    drawn = np.random.default_rng(np.random.SeedSequence(params.chain, spawn_key=(0,)))
    weights = drawn.gamma(params.concentration, size=(params.vocabulary, params.vocabulary))
    weights += np.finfo(np.float64).tiny  # a draw may round to 0, and a row of zeros is no distribution
    transitions = weights / weights.sum(axis=1, keepdims=True)
    return transitions, stationary(transitions)


def info(params: MarkovParams) -> DatasetInfo:
    """Return the task, the number of test sequences, and the chain's entropy rate."""
    from normlaw_plugins.datasets.token_chains import entropy_rate

    task = Task(input_shape=(params.length,), kind="next_token", vocabulary=params.vocabulary)
    return DatasetInfo(task=task, test_size=params.test_size, loss_floor=entropy_rate(*chain_of(params)))


def load_markov(params: MarkovParams, context: LoadContext) -> Splits:
    """Return stationary sequences of one chain, inputs and labels (n, T) int16.

    Each row of the chain is drawn once from a symmetric Dirichlet distribution, by the number `chain`; a run's
    seed draws sequences of it. As the first token is drawn from the stationary distribution, the entropy of the
    next token given all before it is the entropy rate at every place: the loss that no network can be below.
    """
    from normlaw_plugins.datasets.token_chains import chain_splits

    return chain_splits(info(params).task, params.test_size, context, *chain_of(params))


MARKOV = Dataset(
    name="markov",
    summary="Sequences of a random Markov chain; its entropy rate, the least loss, is exact",
    source="Shannon 1948, section 7; Cover, Thomas 2006, theorem 4.2.4 (entropy rate)",
    formula=(
        r"h = -\sum_s \pi_s \sum_v P_{sv} \ln P_{sv}, \qquad \pi P = \pi, \qquad "
        r"P_s \sim \mathrm{Dirichlet}(\alpha)"
    ),
    params=MarkovParams,
    load=load_markov,
    info=info,
    seeded=True,
)
