"""Gaussian inputs of a power-law spectrum, and real targets by a committee of random weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from normlaw_plugins.datasets.endless import BLOCK, in_blocks
from normlaw_registry import Dataset, DatasetInfo, LoadContext, Params, Split, Splits, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn


class CommitteeTeacherParams(Params):
    """Parameters of `committee_teacher`, under the names that the theory `two_layer` has for them."""

    M: int = Field(2, ge=1, le=1000, description="hidden units of the teacher")
    activation: Literal["erf", "linear"] = Field("erf", description="g(x) = erf(x/sqrt(2)) or x")
    beta: float = Field(
        1.0, ge=0.0, le=10.0, description="exponent: the e-th eigenvalue is proportional to e^-(1 + beta)"
    )
    L: int = Field(8, ge=1, le=4096, description="distinct eigenvalues, of mean 1, on as many inputs each")
    N: int = Field(400, ge=2, le=1_000_000, description="number of inputs, a multiple of L")
    test_size: int = Field(
        100, ge=1, le=10**7, description="number of test examples; committees of the same activation need none"
    )

    @model_validator(mode="after")
    def _as_many_each(self) -> Self:
        if self.N % self.L:
            raise ValueError(f"N must be a multiple of L = {self.L}, so that each is on as many, got {self.N}")
        return self


def info(params: CommitteeTeacherParams) -> DatasetInfo:
    """Return the task and the number of test examples."""
    task = Task(input_shape=(params.N,), kind="regression", num_targets=1)
    return DatasetInfo(task=task, test_size=params.test_size)


def teacher(M: int, N: int, seed: int) -> NDArray[np.float64]:
    """Return the weights B ~ N(0, 1) of the teacher of a run of this seed, (M, N)."""
    return _stream(seed, 0).standard_normal((M, N))


def load_committee_teacher(params: CommitteeTeacherParams, context: LoadContext) -> Splits:
    """Return x ~ N(0, Sigma) with targets y = 1/sqrt(M) sum_n g(B_n.x/sqrt(N)), without noise.

    Inputs are (n, N), targets (n, 1), both float32. Sigma is diagonal, its eigenvalues in falling order.
    Teacher, training and test have streams of their own, fresh examples one a block. The exact mean squared
    error is known for every `committee` of the same activation.
    """
    import numpy as np
    import torch
    from scipy.special import erf

    eigenvalues = spectrum(params.L, params.beta, params.N)  # (N,)
    root = np.sqrt(eigenvalues).astype(np.float32)
    B = teacher(params.M, params.N, context.seed)
    towards = (B / params.N**0.5).T  # (N, M)

    def draw(size: int, generator: np.random.Generator) -> Split:
        inputs = generator.standard_normal((size, params.N), dtype=np.float32) * root
        values = np.empty(size)
        for start in range(0, size, BLOCK):  # blocks keep the float64 copy small
            fields = inputs[start : start + BLOCK].astype(np.float64) @ towards  # (b, M)
            answers = fields if params.activation == "linear" else erf(fields / 2**0.5)
            values[start : start + BLOCK] = answers.sum(axis=1) / params.M**0.5
        labels = torch.from_numpy(values).float()[:, None]
        return Split(inputs=torch.from_numpy(inputs), labels=labels)

    return Splits(
        task=info(params).task,
        train=draw(context.train_size, _stream(context.seed, 1)),
        test=draw(params.test_size, _stream(context.seed, 2)),
        population_squared_error=lambda network: squared_error(network, params.activation, B, eigenvalues),
        fresh=in_blocks(lambda number: draw(BLOCK, _stream(context.seed, 3, number))),
    )


def spectrum(L: int, beta: float, N: int) -> NDArray[np.float64]:
    """Return the variance of each of N inputs: L values proportional to e^-(1 + beta), of mean 1."""
    from normlaw_plugins.theories.committee.model import power_law

    return power_law(L, beta)[0].repeat(N // L)


def squared_error(
    network: nn.Module, activation: str, B: NDArray[np.float64], eigenvalues: NDArray[np.float64]
) -> float | None:
    """Return the mean of (f(x) - y)^2 over x ~ N(0, Sigma); None for a network that is no such committee.

    Args:
        network: left as it is.
        activation: of the teacher.
        B: weights of the teacher, (M, N).
        eigenvalues: of Sigma, (N,).

    """
    import numpy as np

    from normlaw_plugins.architectures.hidden_units import Committee
    from normlaw_plugins.theories.committee.averages import ERRORS

    if not isinstance(network, Committee) or network.activation != activation:
        return None
    M, N = B.shape
    W = network.hidden.weight.detach().double().cpu().numpy()  # (K, N)
    weights = np.concatenate([W, B / N**0.5])  # (K + M, N)
    amplitudes = np.concatenate([np.full(len(W), -network.scale), np.full(M, M**-0.5)])
    return max(2.0 * ERRORS[activation]((weights * eigenvalues) @ weights.T, amplitudes), 0.0)


def _stream(seed: int, *place: int) -> np.random.Generator:
    import numpy as np

    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=place))


COMMITTEE_TEACHER = Dataset(
    name="committee_teacher",
    summary="Gaussian inputs with a power-law spectrum and a two-layer teacher; exact loss for committees",
    source="Saad and Solla 1995 (Phys. Rev. E 52, 4225); power-law inputs: Worschech and Rosenow 2024 "
    "(arXiv 2410.09005)",
    formula=r"y = \frac{1}{\sqrt{M}} \sum_{n=1}^{M} g\!\left(\frac{B_n \cdot x}{\sqrt{N}}\right), \qquad "
    r"x \sim \mathcal{N}(0, \Sigma), \qquad \lambda_e \propto e^{-(1 + \beta)}",
    params=CommitteeTeacherParams,
    load=load_committee_teacher,
    info=info,
    seeded=True,
)
