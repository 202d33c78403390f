"""What was asked for just before is not found again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from normlaw_plugins.protocols.envelope_model.runs import Floats

Found = TypeVar("Found")


class Last(Generic[Found]):
    """What was found last, by the parameters that it depends on.

    Newton's trial and the step that follows it, the two curves that saturation is read from, and derivatives of
    a law by parameters of the other slope all ask for the slope that was asked for just before.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._last: tuple[bytes, Found] | None = None

    def at(self, parameters: Floats, find: Callable[[], Found]) -> Found:
        """Return what was found last where its parameters are these, else what `find` returns."""
        key, last = parameters.tobytes(), self._last
        if last is None or last[0] != key:
            last = self._last = key, find()
        return last[1]
