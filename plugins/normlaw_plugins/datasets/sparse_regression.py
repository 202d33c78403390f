"""Gaussian inputs and a linear target that depends on few of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from normlaw_registry import Dataset, DatasetInfo, LoadContext, Params, Split, Splits, Task

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn


class SparseRegressionParams(Params):
    """Parameters of `sparse_regression`, under the names that the theory `diagonal_network` has for them."""

    dimension: int = Field(400, ge=2, le=10**5, description="d, the number of inputs")
    sparsity: float = Field(
        0.1, gt=0, le=1, description="rho: fraction of the target's entries that are not 0, at least one entry"
    )
    noise_variance: float = Field(
        0.0, ge=0, le=1e6, description="variance sigma^2 of the noise on training targets; the test has none"
    )
    test_size: int = Field(
        100, ge=1, le=10**7, description="number of test examples; networks that are linear need none"
    )

    @model_validator(mode="after")
    def _some_entries(self) -> SparseRegressionParams:
        if self.entries < 1:
            raise ValueError(f"sparsity {self.sparsity:g} leaves none of {self.dimension} entries")
        return self

    @property
    def entries(self) -> int:
        """Entries of the target that are not 0."""
        return round(self.sparsity * self.dimension)


def info(params: SparseRegressionParams) -> DatasetInfo:
    """Return the task and the number of test examples."""
    task = Task(input_shape=(params.dimension,), kind="regression", num_targets=1)
    return DatasetInfo(task=task, test_size=params.test_size)


def load_sparse_regression(params: SparseRegressionParams, context: LoadContext) -> Splits:
    """Return x ~ N(0, 1_d) with targets y = <beta*, x>/sqrt(d) + sigma eps.

    Inputs are (n, d), targets (n, 1), both float32. rho d of the entries of beta*, drawn for each seed, are
    +-1/sqrt(rho), so that |beta*|^2 = d; the others are 0. Noise is on training targets alone. Target, training
    inputs, noise and test have streams of their own. The exact mean squared error
    |w - beta*/sqrt(d)|^2 + c^2 is known for every network <w, x> + c.
    """
    import numpy as np
    import torch

    def stream(place: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(context.seed, spawn_key=(place,)))

    beta = np.zeros(params.dimension)
    drawn = stream(0)
    support = drawn.permutation(params.dimension)[: params.entries]
    beta[support] = drawn.choice([-1.0, 1.0], size=params.entries) * (params.dimension / params.entries) ** 0.5
    target = torch.from_numpy(beta / params.dimension**0.5)  # (d,) float64, of norm 1

    def draw(size: int, inputs_from: np.random.Generator, noise_from: np.random.Generator | None) -> Split:
        inputs = torch.from_numpy(inputs_from.standard_normal((size, params.dimension), dtype=np.float32))
        values = inputs.double() @ target  # (size,)
        if noise_from is not None:
            values += params.noise_variance**0.5 * torch.from_numpy(noise_from.standard_normal(size))
        return Split(inputs=inputs, labels=values.float()[:, None])

    return Splits(
        task=info(params).task,
        train=draw(context.train_size, stream(1), stream(2)),
        test=draw(params.test_size, stream(3), None),
        population_squared_error=lambda network: squared_error(network, target),
    )


def squared_error(network: nn.Module, target: Tensor) -> float | None:
    """Return the mean of (f(x) - w.x)^2 over x ~ N(0, 1); None for a network that is not affine.

    Args:
        network: of one output; left as it is.
        target: w, (d,) float64.

    """
    from normlaw_plugins.datasets.linear_response import affine

    found = affine(network, len(target))
    if found is None:
        return None
    slope, offset = found
    return float((target - slope[0]).square().sum() + offset[0].square())


SPARSE_REGRESSION = Dataset(
    name="sparse_regression",
    summary="Gaussian inputs and a linear real target of few entries; exact loss for linear networks",
    source="Woodworth et al. 2020, arXiv:2002.09277, section 4",
    formula=(
        r"y = \frac{\langle \beta^*, x \rangle}{\sqrt{d}} + \sigma \epsilon, "
        r"\qquad x_i \sim \mathcal{N}(0, 1), \qquad \beta^*_i \in \left\{0, \pm \frac{1}{\sqrt{\rho}}\right\}"
    ),
    params=SparseRegressionParams,
    load=load_sparse_regression,
    info=info,
    seeded=True,
)
