"""What a user may choose about an analysis."""

from __future__ import annotations

from dataclasses import dataclass

from normlaw_registry import InputError


@dataclass(frozen=True, kw_only=True)
class Options:
    """Choices with their defaults; every protocol says which of them it reads.

    Raises:
        InputError: a value makes no sense.

    """

    protocol: str = "automatic"
    confidence: float = 0.95
    """Level of the confidence limits."""
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
        if not 0.5 <= self.confidence < 1:
            raise InputError(f"confidence must lie in [0.5, 1), got {self.confidence:g}")
        if self.draws < 100:
            raise InputError(f"draws must be at least 100 for confidence limits, got {self.draws}")
        low, high = self.window or (None, None)
        for side in (low, high):
            if side is not None and not side > 0:
                raise InputError(f"window: limits of lambda/lambda_opt must be positive, got {side:g}")
        if low is not None and high is not None and not low < high:
            raise InputError(f"window: the left limit {low:g} must lie below the right limit {high:g}")
        for name in ("first_index", "gamma2_first_index"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} must not be negative, got {getattr(self, name)}")
