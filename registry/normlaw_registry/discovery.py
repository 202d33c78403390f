"""Find plugins by their entry points and load them one by one, so that a broken one harms no other."""

from __future__ import annotations

import importlib
import inspect
import os
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any

import pluggy

from normlaw_registry import hookspecs
from normlaw_registry.architecture import Architecture
from normlaw_registry.complexity import ComplexityMeasure
from normlaw_registry.component import Component
from normlaw_registry.contract import DISTRIBUTION, incompatibility, requirement_on_normlaw
from normlaw_registry.dataset import Dataset
from normlaw_registry.errors import InvalidComponentError, NormlawError, suggestion
from normlaw_registry.fitter import Fitter
from normlaw_registry.protocol import AnalysisProtocol
from normlaw_registry.theory import Theory

HOOKS: dict[str, type[Component]] = {
    "normlaw_architectures": Architecture,
    "normlaw_datasets": Dataset,
    "normlaw_complexity_measures": ComplexityMeasure,
    "normlaw_fitters": Fitter,
    "normlaw_theories": Theory,
    "normlaw_protocols": AnalysisProtocol,
}
"""Hook name -> the only type of component that it may return."""

CHOICE = "NORMLAW_PLUGINS"
"""The environment variable that chooses the plugins beside normlaw's own: names of distributions or of entry
points, separated by commas. Empty: none; not set: all."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PluginRecord:
    """What became of one entry point."""

    name: str
    """The entry point's name."""
    module: str
    """The module that it names."""
    distribution: str
    """The installed distribution that announces it, or '(none)' where there is none, as in a test."""
    version: str
    """The distribution's version; empty where there is none."""
    requires: str | None = None
    """Which normlaw the distribution was built for, as its metadata say it ('normlaw>=0.1'); None where they
    do not, and for normlaw's own plugins."""
    components: tuple[Component, ...] = ()
    failure: str | None = None
    """Why nothing of this plugin can be used; None when all went well."""

    @property
    def provider(self) -> str:
        """Who provides it, as error messages say it."""
        who = f"{self.distribution} {self.version}".rstrip()
        return f"{who} (entry point {self.name!r}, module {self.module})"


def discover(points: Iterable[EntryPoint] | None = None) -> tuple[PluginRecord, ...]:
    """Load every plugin of the entry-point group `normlaw`, sorted by distribution and name.

    A plugin that cannot be imported, misspells a hook, raises in one, or returns what is no component of
    the hook's kind is kept as a record with `failure` set; none of its components is used.

    Args:
        points: the entry points to load; by default those of all installed distributions that the environment
            variable `NORMLAW_PLUGINS` names, which is to say all where it is not set. normlaw's own are always
            loaded. A name without a plugin is kept as a failed record.

    """
    if points is None:
        installed = list(entry_points(group=hookspecs.PROJECT))
        records = [_load(point) for point in installed if _is_chosen(point)]
        records += [_not_installed(name) for name in _chosen() or () if not _named(installed, name)]
    else:
        records = [_load(point) for point in points]
    return tuple(sorted(records, key=lambda record: (record.distribution, record.name)))


def _chosen() -> list[str] | None:
    """Return what `NORMLAW_PLUGINS` names; None where all are to be loaded."""
    text = os.environ.get(CHOICE)
    return None if text is None else [name for part in text.split(",") if (name := part.strip())]


def _is_chosen(point: EntryPoint) -> bool:
    chosen = _chosen()
    return chosen is None or _origin(point)[0] == DISTRIBUTION or any(_named([point], name) for name in chosen)


def _named(points: Iterable[EntryPoint], name: str) -> bool:
    from packaging.utils import canonicalize_name

    return any(
        name == point.name or canonicalize_name(name) == canonicalize_name(_origin(point)[0])
        for point in points
    )


def _not_installed(name: str) -> PluginRecord:
    return PluginRecord(
        name=name,
        module="?",
        distribution="(none)",
        version="",
        failure=f"the environment variable {CHOICE} names {name!r}, and no plugin of this name or of a "
        "distribution of this name is installed: install it, or name another",
    )


def _load(point: EntryPoint) -> PluginRecord:
    distribution, version = _origin(point)
    requires, failure = (None, None) if point.dist is None else _built_for(point.dist)

    def load() -> object:
        if failure is not None:
            raise InvalidComponentError(failure)  # before it is imported, which would fail more strangely
        return point.load()

    return _record(
        load,
        name=point.name,
        module=point.value,
        distribution=distribution,
        version=version,
        requires=requires,
    )


def _origin(point: EntryPoint) -> tuple[str, str]:
    if point.dist is None:
        return "(none)", ""
    try:
        return point.dist.name or "(none)", point.dist.version or ""
    except Exception:  # noqa: BLE001  # its metadata are missing or damaged; Python versions differ in what they raise
        return "(none)", ""


def _built_for(distribution: Distribution) -> tuple[str | None, str | None]:
    """Return the distribution's requirement on normlaw, and why the installed one does not meet it."""
    try:
        if distribution.name == DISTRIBUTION:
            return None, None
        requirements = distribution.requires or []
        return requirement_on_normlaw(requirements), incompatibility(requirements, version(DISTRIBUTION))
    except PackageNotFoundError:  # normlaw runs from a folder that is not installed
        return None, None
    except Exception:  # noqa: BLE001  # damaged metadata, as above
        return None, None


def inspect_plugin(plugin: object) -> PluginRecord:
    """Return the record of one plugin module or object that no entry point announces, as tests have them."""
    name = str(getattr(plugin, "__name__", type(plugin).__name__))
    return _record(lambda: plugin, name=name, module=name, distribution="(none)", version="")


def _record(
    load: Callable[[], object],
    *,
    name: str,
    module: str,
    distribution: str,
    version: str,
    requires: str | None = None,
) -> PluginRecord:
    components: tuple[Component, ...] = ()
    failure = None
    try:
        components = collect(load())
    except KeyboardInterrupt:
        raise
    # BaseException: a plugin may call sys.exit() or skip a test as it is imported, and a panic of a library
    # written in Rust is no Exception either; none of them may take the other plugins along.
    except BaseException as error:  # noqa: BLE001  # see above
        failure = describe_failure(error)
    return PluginRecord(
        name=name,
        module=module,
        distribution=distribution,
        version=version,
        requires=requires,
        components=components,
        failure=failure,
    )


def describe_failure(error: BaseException) -> str:
    """Return why a plugin failed: normlaw's own message, or the error's type, text, file and line."""
    if isinstance(error, NormlawError):
        return str(error)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((__file__, "<frozen ", importlib.__path__[0]))
    ]
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def collect(plugin: object) -> tuple[Component, ...]:
    """Return the components of one plugin module or object, hooks in the order of `HOOKS`.

    Raises:
        InvalidComponentError: the plugin implements no hook; a hook is misspelt, lacks its mark, is a
            wrapper, takes arguments that it is not given, returns something else than an iterable of
            components of its kind, or gives one name twice.

    """
    manager = _StaticManager(_marked_functions(plugin))
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin)
    except pluggy.PluginValidationError as error:
        raise InvalidComponentError(f"a hook does not fit its specification: {error}") from error
    components: dict[tuple[str, str], Component] = {}
    for hook, kind in HOOKS.items():
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            if implementation.wrapper or implementation.hookwrapper:
                raise InvalidComponentError(f"{hook} is marked as a wrapper: write plain @hookimpl")
            for component in _checked(implementation.function(), hook, kind):
                if components.setdefault((component.kind, component.name), component) is not component:
                    raise InvalidComponentError(f"{hook} gave two components of the name {component.name!r}")
    return tuple(components.values())


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
    for name in dir(plugin):
        value = inspect.getattr_static(plugin, name, None)
        if isinstance(value, staticmethod | classmethod):
            value = value.__func__
        if not inspect.isfunction(value) or hasattr(value, f"{hookspecs.PROJECT}_spec"):
            continue
        options = getattr(value, f"{hookspecs.PROJECT}_impl", None)
        if options is None:
            if name.startswith(f"{hookspecs.PROJECT}_"):
                verb = "lacks" if name in HOOKS else "is no hook's name and lacks"
                raise InvalidComponentError(
                    f"function {name!r} {verb} the mark @hookimpl of normlaw_registry: "
                    f"{suggestion(name, list(HOOKS))}"
                )
        elif (options.get("specname") or name) not in HOOKS:
            raise InvalidComponentError(f"hook {name!r} does not exist: {suggestion(name, list(HOOKS))}")
        else:
            marked.append(name)
    if not marked:
        raise InvalidComponentError(f"implements no hook: mark one of {', '.join(HOOKS)} with @hookimpl")
    return marked


def _checked(result: Any, hook: str, kind: type[Component]) -> Iterable[Component]:
    if result is None or isinstance(result, Component) or not isinstance(result, Iterable):
        raise InvalidComponentError(
            f"{hook} returned {type(result).__name__}: return an iterable of {kind.__name__}, or yield them"
        )
    for component in result:
        if not isinstance(component, kind):
            raise InvalidComponentError(
                f"{hook} gave {type(component).__name__}: it may give {kind.__name__} only"
            )
        yield component
