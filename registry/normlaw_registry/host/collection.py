"""The components of one plugin: its hooks checked, called, and what they give checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import pluggy

from normlaw_registry import hookspecs
from normlaw_registry.component import Component
from normlaw_registry.errors import InvalidComponentError, suggestion
from normlaw_registry.host import kinds
from normlaw_registry.host.kinds import Kind


def collect(plugin: object) -> tuple[Component, ...]:
    """Return the components of one plugin module or object, in the order of `kinds.KINDS`.

    Raises:
        InvalidComponentError: the plugin implements no hook; a hook is misspelt, lacks its mark, is a
            wrapper, takes arguments that it is not given, returns something else than an iterable of
            components of its kind, or gives one name twice.

    """
    manager = _StaticManager(_marked_functions(plugin))
    manager.add_hookspecs(_specifications())
    try:
        manager.register(plugin)
    except pluggy.PluginValidationError as error:
        raise InvalidComponentError(f"a hook does not fit its specification: {error}") from error
    components: dict[tuple[str, str], Component] = {}
    for kind in kinds.KINDS:
        for implementation in getattr(manager.hook, kind.hook).get_hookimpls():
            if implementation.wrapper or implementation.hookwrapper:
                raise InvalidComponentError(f"{kind.hook} is marked as a wrapper: write plain @hookimpl")
            for component in _checked(implementation.function(), kind):
                if components.setdefault((component.kind, component.name), component) is not component:
                    raise InvalidComponentError(
                        f"{kind.hook} gave two components of the name {component.name!r}"
                    )
    return tuple(components.values())


def _specifications() -> ModuleType:
    """Return what pluggy compares hooks with: a function without arguments for each kind of the table."""

    def specification() -> Callable[[], None]:
        return lambda: None

    made = ModuleType("specifications")
    vars(made).update({kind.hook: hookspecs.hookspec(specification()) for kind in kinds.KINDS})
    return made


class _StaticManager(pluggy.PluginManager):
    """Looks at the given names of a plugin only: reading every attribute could run code of its own."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(hookspecs.PROJECT)
        self._names = frozenset(names)

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        return super().parse_hookimpl_opts(plugin, name) if name in self._names else None


def _marked_functions(plugin: object) -> list[str]:
    """Return the names of the hooks that the plugin implements.

    Finds what pluggy passes over in silence: names that are no hook, and hooks that are not marked.
    """
    marked: list[str] = []
    hooks = [kind.hook for kind in kinds.KINDS]
    for name in dir(plugin):
        value = inspect.getattr_static(plugin, name, None)
        if isinstance(value, staticmethod | classmethod):
            value = value.__func__
        if not inspect.isfunction(value) or hasattr(value, f"{hookspecs.PROJECT}_spec"):
            continue
        options = getattr(value, f"{hookspecs.PROJECT}_impl", None)
        if options is None:
            if name.startswith(f"{hookspecs.PROJECT}_"):
                verb = "lacks" if name in hooks else "is no hook's name and lacks"
                raise InvalidComponentError(
                    f"function {name!r} {verb} the mark @hookimpl of normlaw_registry: "
                    f"{suggestion(name, hooks)}"
                )
        elif (options.get("specname") or name) not in hooks:
            raise InvalidComponentError(f"hook {name!r} does not exist: {suggestion(name, hooks)}")
        else:
            marked.append(name)
    if not marked:
        raise InvalidComponentError(f"implements no hook: mark one of {', '.join(hooks)} with @hookimpl")
    return marked


def _checked(result: Any, kind: Kind) -> Iterable[Component]:
    if result is None or isinstance(result, Component) or not isinstance(result, Iterable):
        raise InvalidComponentError(
            f"{kind.hook} returned {type(result).__name__}: return an iterable of {kind.component.__name__}, "
            "or yield them"
        )
    for component in result:
        if not isinstance(component, kind.component):
            raise InvalidComponentError(
                f"{kind.hook} gave {type(component).__name__}: it may give {kind.component.__name__} only"
            )
        yield component
