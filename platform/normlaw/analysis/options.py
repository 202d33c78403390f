"""What a user may choose about an analysis."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields

from normlaw_registry import InputError
from normlaw_registry.errors import brief

MAX_DRAWS = 10_000
"""The standard error is known to 0.7 % then; each draw takes up to a megabyte of memory."""
MAX_SIZE = 2**53
"""Above it a float64 does not tell neighbouring whole numbers apart."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Choices with their defaults; every protocol says which of them it reads.

    Raises:
        InputError: a value makes no sense.

    """

    protocol: str = "automatic"
    confidence: float = 0.95
    """Level of the confidence limits."""
    offsets: bool = False
    """Fit the offsets q1 and q2 too, and compare with none."""
    hold_out: int = 0
    """Number of the largest train sizes that the endpoint laws are scored on; 0 for none."""
    predict_at: tuple[int, ...] = ()
    """Train sizes at which every endpoint law predicts the least error."""
    fitters: tuple[str, ...] = ()
    """Names of fitters that fit their laws too, one's own among them."""
    draws: int = 400
    """`automatic` only: number of bootstrap draws."""
    bootstrap_seed: int = 0
    """`automatic` only: seed of the bootstrap."""
    window: tuple[float | None, float | None] | None = None
    """`released` only: limits of lambda/lambda_opt in the early fit; None leaves that side open."""
    first_index: int = 0
    """`released` only: index of the first train size in the early fit."""
    gamma2_first_index: int = 0
    """`released` only: index of the first train size in the fit of the optimal norm."""

    def __post_init__(self) -> None:
        """Refuse what no protocol could use."""
        if not 0.5 <= self.confidence <= 1 - 1e-9:
            raise InputError(f"confidence must lie in [0.5, 1), 1e-9 below 1 at most, got {self.confidence:g}")
        if not 100 <= self.draws <= MAX_DRAWS:
            raise InputError(
                f"draws must be at least 100 for confidence limits and {MAX_DRAWS} at most, "
                f"got {brief(self.draws)}"
            )
        low, high = self.window or (None, None)
        for side in (low, high):
            if side is not None and not side > 0:
                raise InputError(f"window: limits of lambda/lambda_opt must be positive, got {side:g}")
        if low is not None and high is not None and not low < high:
            raise InputError(f"window: the left limit {low:g} must lie below the right limit {high:g}")
        for size in self.predict_at:
            if not 0 < size <= MAX_SIZE:
                raise InputError(f"predict_at: a train size lies between 1 and 2^53, got {brief(size)}")
        for name in ("first_index", "gamma2_first_index", "hold_out", "bootstrap_seed"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} must not be negative, got {brief(getattr(self, name))}")


def command_line(source: Sequence[str], norm: str, options: Options) -> str:
    """Return the command that repeats an analysis: only what differs from the defaults.

    >>> command_line(["--curves", "my curves.csv"], "norm", Options(window=(None, 0.3), protocol="released"))
    "normlaw analyse --curves 'my curves.csv' --norm norm --protocol released --window none 0.3"
    """
    words = ["normlaw", "analyse", *source, "--norm", norm]
    for choice in fields(Options):
        value = getattr(options, choice.name)
        flag = "--" + choice.name.replace("_", "-")
        if value == choice.default:
            continue
        if choice.name == "window":
            words += [flag, *("none" if limit is None else f"{limit!r}" for limit in value)]
        elif choice.name in ("predict_at", "fitters"):
            words += [word for item in value for word in (flag.removesuffix("s"), str(item))]
        else:
            words += [flag] if value is True else [flag, str(value)]
    return shlex.join(words)
