"""What rises along a grid by a slope, and the last of it that was found.

Newton's trial and the step that follows it, the two curves that saturation is read from, and the derivatives of
a law by parameters of the other slope all ask for the slope that was asked for just before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from normlaw_plugins.protocols.envelope_model.grid import integrated
from normlaw_plugins.protocols.envelope_model.runs import Floats


class Slope(Protocol):
    """A slope on a grid (F,)."""

    value: Floats

    def derivatives(self) -> Floats:
        """Return those by its parameters, (F, k)."""


class Rise:
    """A function from the grid's begin on."""

    def __init__(self, slope: Slope, grid: Floats) -> None:
        """Integrate the slope."""
        self.slope, self.derivatives = slope.value, slope.derivatives
        self.value = integrated(slope.value, grid)


class Last:
    """The rise that was found last, by the parameters that it depends on."""

    def __init__(self) -> None:
        """Begin with none."""
        self._last: tuple[bytes, Rise] | None = None

    def at(self, parameters: Floats, find: Callable[[], Rise]) -> Rise:
        """Return the last rise where its parameters are these, else what `find` returns."""
        key, last = parameters.tobytes(), self._last
        if last is None or last[0] != key:
            last = self._last = key, find()
        return last[1]
