"""A constant learning rate."""

from __future__ import annotations

from normlaw_registry import Params, Schedule


def factor(_params: Params, _step: int, _steps: int) -> float:
    """Return 1."""
    return 1.0


CONSTANT = Schedule(
    name="constant",
    summary="The learning rate stays",
    formula="1",
    factor=factor,
    needs_length=False,
)
