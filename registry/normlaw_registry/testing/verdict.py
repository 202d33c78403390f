"""How a check speaks."""

from __future__ import annotations

from normlaw_registry.component import Component
from normlaw_registry.errors import InvalidComponentError


def require(component: Component, kept: object, broken: str) -> None:
    """Raise `InvalidComponentError` that names the component and says `broken`, unless `kept`."""
    if not kept:
        raise InvalidComponentError(f"{component.kind} {component.name!r}: {broken}")
