"""What a theory says of a trained run: which of its curves, or points, the run is to lie on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

LOG_NORM = "log_norm/"
"""Columns of learning curves that hold natural logs; all others hold what they are called."""


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """Where a theory has a trained run: its parameters, where on its axes, and what is to be compared.

    A run that moves along an axis is compared at each measuring point; one that does not, such as a run
    whose end alone is known, at its last.
    """

    params: Mapping[str, Any]
    """Of the theory. They may differ between seeds, as where the theory starts from a run's own weights."""
    held: Mapping[str, float]
    """The axes along which the run does not move -> their values."""
    axis: str | None = None
    """The axis along which it moves; None: along none."""
    per_step: float = 1.0
    """How far it moves along that axis in one step of the optimiser."""
    reads: Mapping[str, tuple[str, float]]
    """Observable -> (column of the learning curve, factor). The observable is factor times the column, such as
    {"test_loss": ("test/loss", 0.5)}. Of a column log_norm/MEASURE it is the norm itself that is taken."""
    ends_below: Mapping[str, float] = field(default_factory=dict)
    """Column of the learning curve -> largest value at a run's last point with which the theory is about it,
    such as {"train/loss": 1e-5} of one that knows interpolators alone. Other runs are left out, and counted."""


OfRun = Callable[[Mapping[str, str]], Counterpart | None]
"""(a run's settings as MLflow lists them, as text, defaults too: "architecture", "architecture.width", "loss",
"optimizer.name", "train_size", "seed", ...) -> its counterpart; None for a run that the theory is not about."""
