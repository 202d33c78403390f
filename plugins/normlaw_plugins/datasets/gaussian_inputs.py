"""Gaussian inputs with independent coordinates, and real targets that are a function of them plus noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from normlaw_plugins.datasets.endless import BLOCK, in_blocks
from normlaw_registry import LoadContext, Split, Splits, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

Answer = Callable[["Tensor"], "Tensor"]
"""Inputs (b, N) float64 -> targets without noise, (b,)."""


def gaussian_splits(
    task: Task,
    context: LoadContext,
    scale: NDArray[np.float32],
    answer: Answer,
    *,
    test_size: int,
    noise_variance: float,
    noisy_test: bool,
    squared_error: Callable[[nn.Module], float | None],
) -> Splits:
    """Return examples x_i = scale_i N(0, 1) with y = answer(x) + noise, inputs (n, N), targets (n, 1) float32.

    Training, its noise, test and the test's noise have streams of their own, row by row; fresh examples have
    one a block.

    Args:
        task: of one target.
        context: its seed draws all.
        scale: standard deviation of each input, (N,).
        answer: the target.
        test_size: number of test examples.
        noise_variance: of the noise.
        noisy_test: whether the test targets have it too.
        squared_error: `Splits.population_squared_error`.

    """
    import numpy as np
    import torch

    def stream(*place: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(context.seed, spawn_key=place))

    def draw(size: int, inputs_from: np.random.Generator, noise_from: np.random.Generator | None) -> Split:
        inputs = torch.from_numpy(inputs_from.standard_normal((size, len(scale)), dtype=np.float32) * scale)
        # Blocks keep the float64 copy small.
        values = torch.cat([answer(block.double()) for block in torch.split(inputs, BLOCK)])  # (size,)
        if noise_from is not None:
            values += noise_variance**0.5 * torch.from_numpy(noise_from.standard_normal(size))
        return Split(inputs=inputs, labels=values.float()[:, None])

    return Splits(
        task=task,
        train=draw(context.train_size, stream(0), stream(1)),
        test=draw(test_size, stream(2), stream(5) if noisy_test else None),
        population_squared_error=squared_error,
        fresh=in_blocks(lambda number: draw(BLOCK, stream(3, number), stream(4, number))),
    )
