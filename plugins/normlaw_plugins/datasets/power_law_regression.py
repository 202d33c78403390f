"""Gaussian inputs with a power-law spectrum and a linear target that falls by a power law too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_plugins.datasets.endless import BLOCK, in_blocks
from normlaw_registry import Dataset, DatasetInfo, LoadContext, Params, Split, Splits, Task

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn


class PowerLawRegressionParams(Params):
    """Parameters of `power_law_regression`, under the names that the theory `random_features` has for them."""

    a: float = Field(1.5, gt=1, le=10, description="decay of the target: lam_k w_k^2 = k^-a")
    b: float = Field(1.25, gt=1, le=10, description="decay of the spectrum: lam_k = k^-b")
    modes: int = Field(1000, ge=1, le=10**6, description="M, the number of inputs")
    noise_variance: float = Field(
        0.0, ge=0, le=1e6, description="variance sigma^2 of the noise on training targets; the test has none"
    )
    test_size: int = Field(
        100, ge=1, le=10**7, description="number of test examples; networks that are linear need none"
    )


def info(params: PowerLawRegressionParams) -> DatasetInfo:
    """Return the task and the number of test examples."""
    task = Task(input_shape=(params.modes,), kind="regression", num_targets=1)
    return DatasetInfo(task=task, test_size=params.test_size)


def load_power_law_regression(params: PowerLawRegressionParams, context: LoadContext) -> Splits:
    """Return psi_k ~ N(0, k^-b) with targets y = sum_k w_k psi_k + sigma eps, w_k = k^((b - a)/2).

    Inputs are (n, modes), targets (n, 1), both float32; noise is on training targets alone, so that the test
    loss is what a network can be blamed for. Training, noise and test have streams of their own, row by row;
    fresh examples have one a block. The exact mean squared error sum_k lam_k (w_k - u_k)^2 + c^2 is known for
    every network u.psi + c.
    """
    import numpy as np
    import torch

    k = np.arange(1.0, params.modes + 1)
    scale = (k ** (-params.b / 2)).astype(np.float32)  # (M,)
    target = torch.from_numpy(k ** ((params.b - params.a) / 2))  # (M,) float64
    spectrum = torch.from_numpy(k**-params.b)  # (M,) float64

    def stream(*place: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(context.seed, spawn_key=place))

    def draw(size: int, inputs_from: np.random.Generator, noise_from: np.random.Generator | None) -> Split:
        inputs = torch.from_numpy(inputs_from.standard_normal((size, params.modes), dtype=np.float32) * scale)
        # Blocks keep the float64 copy small.
        values = torch.cat([block.double() @ target for block in torch.split(inputs, BLOCK)])  # (size,)
        if noise_from is not None:
            values += params.noise_variance**0.5 * torch.from_numpy(noise_from.standard_normal(size))
        return Split(inputs=inputs, labels=values.float()[:, None])

    return Splits(
        task=info(params).task,
        train=draw(context.train_size, stream(0), stream(1)),
        test=draw(params.test_size, stream(2), None),
        population_squared_error=lambda network: squared_error(network, target, spectrum),
        fresh=in_blocks(lambda number: draw(BLOCK, stream(3, number), stream(4, number))),
    )


def squared_error(network: nn.Module, target: Tensor, spectrum: Tensor) -> float | None:
    """Return the mean of (f(psi) - w.psi)^2 over psi_k ~ N(0, lam_k); None for a network that is not affine.

    Args:
        network: of one output; left as it is.
        target: w, (modes,) float64.
        spectrum: lam, (modes,) float64.

    """
    from normlaw_plugins.datasets.linear_response import affine

    found = affine(network, len(target))
    if found is None:
        return None
    slope, offset = found
    return float((spectrum * (target - slope[0]).square()).sum() + offset[0].square())


POWER_LAW_REGRESSION = Dataset(
    name="power_law_regression",
    summary="Gaussian inputs and linear real targets with power-law spectra; exact loss for linear networks",
    source="Bordelon, Atanasov, Pehlevan 2024, arXiv:2402.01092",
    formula=(
        r"y = \sum_k w_k \psi_k + \sigma \epsilon, \qquad \psi_k \sim \mathcal{N}(0, k^{-b}), \qquad "
        r"k^{-b} w_k^2 = k^{-a}"
    ),
    params=PowerLawRegressionParams,
    load=load_power_law_regression,
    info=info,
    seeded=True,
)
