"""The catalogue: every usable component by kind and name, and what could not be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from normlaw_registry.component import Component, P
from normlaw_registry.errors import (
    DuplicateComponentError,
    InputError,
    UnknownComponentError,
    brief,
    describe_problem,
    known_keys,
    suggestion,
)
from normlaw_registry.host.discovery import discover
from normlaw_registry.host.record import PluginRecord

SHOWN = 10
"""Problems told in one message."""
C = TypeVar("C", bound=Component)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All installed components. Frozen: what it answers does not change while a study runs."""

    records: tuple[PluginRecord, ...]
    """Every plugin that was found, the failed ones included."""
    _providers: Mapping[tuple[str, str], tuple[tuple[Component, PluginRecord], ...]]

    @classmethod
    def of(cls, records: Iterable[PluginRecord]) -> Catalogue:
        """Build the catalogue of these plugins."""
        records = tuple(records)
        providers: dict[tuple[str, str], tuple[tuple[Component, PluginRecord], ...]] = {}
        for record in records:
            for component in record.components:
                key = (component.kind, component.name)
                providers[key] = (*providers.get(key, ()), (component, record))
        return cls(records, MappingProxyType(providers))

    def names(self, kind: type[Component]) -> list[str]:
        """Return the names of a kind in alphabetical order, claimed-twice ones included."""
        return sorted(name for of_kind, name in self._providers if of_kind == kind.kind)

    def get(self, kind: type[C], name: str) -> C:
        """Return the component of that kind and name.

        Raises:
            UnknownComponentError: there is none; names the nearest, and the plugins that failed to load.
            DuplicateComponentError: several providers claim the name; names all of them.

        """
        return self._one(kind, name)[0]

    def provider(self, kind: type[Component], name: str) -> PluginRecord:
        """Return the plugin that provides a component. Raises as `get` does."""
        return self._one(kind, name)[1]

    def _one(self, kind: type[C], name: str) -> tuple[C, PluginRecord]:
        providers = self._providers.get((kind.kind, name), ())
        if len(providers) > 1:
            claims = "\n".join(f"  - {record.provider}" for _, record in providers)
            raise DuplicateComponentError(
                f"{kind.kind} {name!r} is claimed by more than one plugin; uninstall or rename one of\n{claims}"
            )
        if not providers:
            raise UnknownComponentError(
                f"unknown {kind.kind} {brief(name)}: {suggestion(name, self.names(kind))}{self._failure_note()}"
            )
        component, record = providers[0]
        return cast("C", component), record

    def duplicates(self) -> dict[tuple[str, str], tuple[PluginRecord, ...]]:
        """Return every (kind, name) that several providers claim, with the plugins that claim it."""
        return {
            key: tuple(record for _, record in claims)
            for key, claims in self._providers.items()
            if len(claims) > 1
        }

    def _failure_note(self) -> str:
        failed = [record for record in self.records if record.failure]
        if not failed:
            return ""
        reasons = "\n".join(f"  - {record.provider}: {record.failure}" for record in failed)
        return f"\nThese plugins could not be loaded and may provide it:\n{reasons}"


def validate_params(component: Component[P], values: Mapping[str, Any]) -> P:
    """Return the component's parameters, defaults filled in.

    Raises:
        InputError: a key is unknown (names the nearest), missing, or its value is not allowed.

    """
    try:
        checked = component.params.model_validate(dict(values))
    except ValidationError as error:
        found = error.errors()
        problems = "\n".join(
            f"{'.'.join(map(str, p['loc'])) or 'params'}: "
            f"{describe_problem(p, known_keys(component.params, p['loc']))}"
            for p in found[:SHOWN]
        )
        if len(found) > SHOWN:
            problems += f"\nand {len(found) - SHOWN} more"
        raise InputError(f"{component.kind} {component.name!r}: {problems}") from error
    return checked


@cache
def load_catalogue() -> Catalogue:
    """Return the catalogue of all installed plugins, loaded once per process."""
    return Catalogue.of(discover())
