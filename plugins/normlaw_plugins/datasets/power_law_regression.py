"""Gaussian inputs with a power-law spectrum and a linear target that falls by a power law too."""

from __future__ import annotations

from pydantic import Field

from normlaw_plugins.datasets.gaussian_inputs import gaussian_splits
from normlaw_plugins.datasets.linear_response import affine_squared_error
from normlaw_registry import Dataset, DatasetInfo, LoadContext, Params, Splits, Task


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

    return gaussian_splits(
        info(params).task,
        context,
        scale,
        lambda inputs: inputs @ target,
        test_size=params.test_size,
        noise_variance=params.noise_variance,
        noisy_test=False,
        squared_error=lambda network: affine_squared_error(network, target, spectrum),
    )


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
