"""Gaussian inputs of a power-law spectrum with noisy targets by a random linear or two-layer teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from normlaw_plugins.datasets.gaussian_inputs import gaussian_splits
from normlaw_plugins.datasets.linear_response import affine_squared_error
from normlaw_plugins.datasets.rectified_response import mean_square, rectified
from normlaw_registry import Dataset, DatasetInfo, LoadContext, Params, Splits, Task

if TYPE_CHECKING:
    from torch import Tensor, nn


class TeacherRegressionParams(Params):
    """Parameters of `teacher_regression`."""

    teacher: Literal["linear", "two_layer"] = Field(
        "linear", description="w.x, or the sum over units of A_m max(B_m.x, 0)"
    )
    dimension: int = Field(100, ge=1, le=10**5, description="N, the number of inputs")
    decay: float = Field(1.0, ge=0, le=10, description="a: the inputs have the variances i^-a, i = 1 ... N")
    hidden: int = Field(8, ge=1, le=10**4, description="M, the units of a two-layer teacher")
    noise_variance: float = Field(
        0.1, ge=0, le=1e6, description="variance of the noise on all targets, whose mean square without it is 1"
    )
    number: int = Field(0, ge=0, le=2**31, description="number of the teacher, from which it is drawn")
    test_size: int = Field(
        1000, ge=1, le=10**7, description="number of test examples; networks whose loss is exact need none"
    )


def info(params: TeacherRegressionParams) -> DatasetInfo:
    """Return the task and the number of test examples."""
    task = Task(input_shape=(params.dimension,), kind="regression", num_targets=1)
    return DatasetInfo(task=task, test_size=params.test_size)


def spectrum(params: TeacherRegressionParams) -> Tensor:
    """Return the variance i^-a of each input, (N,) float64."""
    import torch

    return torch.arange(1, params.dimension + 1, dtype=torch.float64) ** -params.decay


def weights(params: TeacherRegressionParams) -> tuple[Tensor, Tensor]:
    """Return the teacher: w, (1, N), or B, (M, N), and A, which is (1,) or (M,); all float64.

    B, w and the A of a two-layer teacher are standard normal; A is scaled so that the mean square of the
    answers is 1.
    """
    import numpy as np
    import torch

    drawn = np.random.default_rng(np.random.SeedSequence(params.number, spawn_key=(3,)))
    units = 1 if params.teacher == "linear" else params.hidden
    B = torch.from_numpy(drawn.standard_normal((units, params.dimension)))
    if params.teacher == "linear":
        return B, (spectrum(params) * B.square()).sum(dim=1).rsqrt()
    A = torch.from_numpy(drawn.standard_normal(units))
    return B, A / mean_square(B, A, 0.0, spectrum(params)) ** 0.5


def load_teacher_regression(params: TeacherRegressionParams, context: LoadContext) -> Splits:
    """Return x_i ~ N(0, i^-a) with y = teacher(x) + noise, inputs (n, N), targets (n, 1), both float32.

    The test has the noise too, so that no network's mean squared error is below its variance, which is the
    teacher's own. The exact one is known of networks that are affine, of a linear teacher, and of `mlp` with
    one hidden layer without biases, of a two-layer one. The teacher is drawn by its number, examples by a run's
    seed.
    """
    B, A = weights(params)
    lam = spectrum(params)

    def answer(inputs: Tensor) -> Tensor:
        fields = inputs @ B.T  # (b, M)
        return (fields if params.teacher == "linear" else fields.clamp_min(0.0)) @ A

    def squared_error(network: nn.Module) -> float | None:
        found = (
            affine_squared_error(network, A[0] * B[0], lam)
            if params.teacher == "linear"
            else rectified_squared_error(network, B, A, lam)
        )
        return None if found is None else found + params.noise_variance

    return gaussian_splits(
        info(params).task,
        context,
        lam.sqrt().float().numpy(),
        answer,
        test_size=params.test_size,
        noise_variance=params.noise_variance,
        noisy_test=True,
        squared_error=squared_error,
    )


def rectified_squared_error(network: nn.Module, B: Tensor, A: Tensor, lam: Tensor) -> float | None:
    """Return the mean of (f(x) - sum_m A_m max(B_m.x, 0))^2 over x_i ~ N(0, lam_i); None for f of another form.

    Args:
        network: f; left as it is.
        B: (M, N) float64.
        A: (M,) float64.
        lam: (N,) float64.

    """
    import torch

    found = rectified(network)
    if found is None:
        return None
    own, amplitudes, offset = found
    return mean_square(torch.cat([own, B]), torch.cat([amplitudes, -A]), offset, lam)


TEACHER_REGRESSION = Dataset(
    name="teacher_regression",
    summary="Gaussian inputs with a power-law spectrum and noisy targets by a linear or two-layer teacher",
    source="Cho, Saul 2009 (mean squares of rectified units)",
    formula=(
        r"y = w \cdot x + \epsilon \quad \text{or} \quad y = \sum_m A_m \max(B_m \cdot x, 0) + \epsilon, "
        r"\qquad x_i \sim \mathcal{N}(0, i^{-a})"
    ),
    params=TeacherRegressionParams,
    load=load_teacher_regression,
    info=info,
    seeded=True,
)
