"""Equations a op b = c modulo a prime, of which a network is shown some and asked the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from normlaw_registry import Dataset, DatasetInfo, LoadContext, Params, Split, Splits, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Operation = Literal["add", "subtract", "multiply", "divide", "square_sum"]


class ModularArithmeticParams(Params):
    """Parameters of `modular_arithmetic`."""

    modulus: int = Field(97, ge=3, le=1000, description="p, a prime; a, b and c are below it")
    operation: Operation = Field(
        "add", description="a + b, a - b, a b, a / b (b not 0), or a^2 + a b + b^2, each modulo p"
    )
    test_fraction: float = Field(
        0.5, gt=0, lt=1, description="part of all equations that is kept for the test, drawn once for all seeds"
    )

    @model_validator(mode="after")
    def _prime(self) -> ModularArithmeticParams:
        if any(self.modulus % divisor == 0 for divisor in range(2, int(self.modulus**0.5) + 1)):
            raise ValueError(f"`modulus` must be a prime, for which a / b is defined: {self.modulus} is none")
        return self

    @property
    def equations(self) -> int:
        """How many there are."""
        return self.modulus * (self.modulus - (self.operation == "divide"))

    @property
    def test_size(self) -> int:
        """How many of them are kept for the test, at least one and not all."""
        return min(max(1, round(self.test_fraction * self.equations)), self.equations - 1)


def equations(params: ModularArithmeticParams) -> NDArray[np.int64]:
    """Return all equations as tokens a, op, b, =, c, (n, 5): op is token p, = is token p + 1."""
    import numpy as np

    p = params.modulus
    a, b = (values.flatten() for values in np.meshgrid(np.arange(p), np.arange(p), indexing="ij"))
    if params.operation == "divide":  # c = a / b is what gives a = b c
        kept = b > 0
        c, b = a[kept], b[kept]
        a = b * c % p
    else:
        c = {
            "add": a + b,
            "subtract": a - b,
            "multiply": a * b,
            "square_sum": a * a + a * b + b * b,
        }[params.operation] % p
    return np.stack([a, np.full_like(a, p), b, np.full_like(a, p + 1), c], axis=1)


def info(params: ModularArithmeticParams) -> DatasetInfo:
    """Return the task, the number of test equations, and the loss of who knows the rule: 0."""
    task = Task(input_shape=(4,), kind="next_token", vocabulary=params.modulus + 2, scored=1)
    return DatasetInfo(task=task, test_size=params.test_size, loss_floor=0.0)


def load_modular_arithmetic(params: ModularArithmeticParams, _context: LoadContext) -> Splits:
    """Return inputs a op b =, (n, 4) int16, with c as the one token that is scored, (n, 1).

    The test equations are the same for all seeds; training equations are subsets of the others.
    """
    import numpy as np
    import torch

    rows = equations(params).astype(np.int16)
    order = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(2,))).permutation(len(rows))
    tokens = torch.from_numpy(rows[order])

    def part(chosen: slice) -> Split:
        return Split(inputs=tokens[chosen, :4].contiguous(), labels=tokens[chosen, 4:].contiguous())

    return Splits(
        task=info(params).task,
        train=part(slice(params.test_size, None)),
        test=part(slice(params.test_size)),
        unit="equations",
    )


MODULAR_ARITHMETIC = Dataset(
    name="modular_arithmetic",
    summary="Equations a op b = c modulo a prime, the task on which grokking was found",
    source="Power et al. 2022, arXiv:2201.02177, section 3 and appendix A.1",
    formula=r"c = a \circ b \bmod p, \quad a, b \in \{0, \ldots, p - 1\}",
    params=ModularArithmeticParams,
    load=load_modular_arithmetic,
    info=info,
)
