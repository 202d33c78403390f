"""Find plugins by their entry points and load them one by one, so that a broken one harms no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from normlaw_registry import hookspecs
from normlaw_registry.architecture import Architecture
from normlaw_registry.complexity import ComplexityMeasure
from normlaw_registry.component import Component
from normlaw_registry.dataset import Dataset
from normlaw_registry.errors import InvalidComponentError, NormlawError, suggestion
from normlaw_registry.fitter import Fitter
from normlaw_registry.theory import Theory

HOOKS: dict[str, type[Component]] = {
    "normlaw_architectures": Architecture,
    "normlaw_datasets": Dataset,
    "normlaw_complexity_measures": ComplexityMeasure,
    "normlaw_fitters": Fitter,
    "normlaw_theories": Theory,
}
"""Hook name -> the only type of component that it may return."""


@dataclass(frozen=True, kw_only=True)
class PluginRecord:
    """What became of one entry point."""

    name: str
    """The entry point's name."""
    module: str
    """The module that it names."""
    distribution: str
    """The installed distribution that announces it, or '(none)' for one handed over by a test."""
    version: str
    components: tuple[Component, ...] = field(default=())
    failure: str | None = None
    """Why nothing of this plugin can be used; None when all went well."""

    @property
    def provider(self) -> str:
        """Who provides it, as error messages say it."""
        return f"{self.distribution} {self.version} (entry point {self.name!r}, module {self.module})"


def discover(points: Iterable[EntryPoint] | None = None) -> tuple[PluginRecord, ...]:
    """Load every plugin of the entry-point group `normlaw`, sorted by distribution and name.

    A plugin that cannot be imported, misspells a hook, raises in one, or returns what is no component of
    the hook's kind is kept as a record with `failure` set; none of its components is used.

    Args:
        points: the entry points to load; by default those of all installed distributions.

    """
    found = entry_points(group=hookspecs.PROJECT) if points is None else points
    records = [_load(point) for point in found]
    return tuple(sorted(records, key=lambda record: (record.distribution, record.name)))


def _load(point: EntryPoint) -> PluginRecord:
    components: tuple[Component, ...] = ()
    failure = None
    try:
        components = collect(point.load())
    except NormlawError as error:
        failure = str(error)
    except (
        Exception,
        SystemExit,
    ) as error:  # a plugin may fail in any way; only an interrupt is the user's own
        failure = f"{type(error).__name__}: {error}"
    return PluginRecord(
        name=point.name,
        module=point.value,
        distribution=point.dist.name if point.dist else "(none)",
        version=point.dist.version if point.dist else "",
        components=components,
        failure=failure,
    )


def collect(plugin: Any) -> tuple[Component, ...]:
    """Return the components of one plugin module or object, hooks in the order of `HOOKS`.

    Raises:
        InvalidComponentError: a hook is misspelt or lacks its mark, takes arguments that it is not given,
            or returns something else than an iterable of components of its kind.

    """
    _refuse_unknown_hooks(plugin)
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin)
    except pluggy.PluginValidationError as error:
        raise InvalidComponentError(f"a hook does not fit its specification: {error}") from error
    components: list[Component] = []
    for hook, kind in HOOKS.items():
        for result in (impl.function() for impl in getattr(manager.hook, hook).get_hookimpls()):
            components.extend(_checked(result, hook, kind))
    return tuple(components)


def _refuse_unknown_hooks(plugin: Any) -> None:
    """Find what pluggy passes over in silence: names that are no hook, and hooks that are not marked."""
    mark = f"{hookspecs.PROJECT}_impl"
    for name in dir(plugin):
        value = getattr(plugin, name, None)
        if not callable(value) or getattr(value, "__module__", None) == hookspecs.__name__:
            continue
        marked = getattr(value, mark, None) is not None
        if marked and (getattr(value, mark).get("specname") or name) not in HOOKS:
            raise InvalidComponentError(f"hook {name!r} does not exist: {suggestion(name, list(HOOKS))}")
        if not marked and name.startswith(f"{hookspecs.PROJECT}_"):
            verb = "lacks" if name in HOOKS else "is no hook's name and lacks"
            raise InvalidComponentError(
                f"function {name!r} {verb} the mark @hookimpl of normlaw_registry: "
                f"{suggestion(name, list(HOOKS))}"
            )


def _checked(result: Any, hook: str, kind: type[Component]) -> Sequence[Component]:
    if result is None or isinstance(result, Component) or not isinstance(result, Iterable):
        raise InvalidComponentError(
            f"{hook} returned {type(result).__name__}: return an iterable of {kind.__name__}, or yield them"
        )
    components = list(result)
    for component in components:
        if not isinstance(component, kind):
            raise InvalidComponentError(
                f"{hook} gave a {type(component).__name__}: it may give {kind.__name__} only"
            )
    return components
