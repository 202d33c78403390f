"""Find plugins by their entry points and load them one by one, so that a broken one harms no other.

All are loaded before the first name is looked up. What a plugin provides is known by asking its hooks, and a
name that two plugins claim must be an error whichever of them comes first: to answer from one plugin, or from
what was noted of it last time, would let the order of imports or a stale note choose what a run is made of. So
the cost is bounded otherwise: each process loads once, a record has the seconds that its plugin took, which
`normlaw plugins` and `normlaw doctor` tell of a slow one, and `NORMLAW_PLUGINS` leaves plugins out.
"""

from __future__ import annotations

import importlib
import os
import time
import traceback
from collections.abc import Callable, Iterable
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, entry_points, version

from normlaw_registry.component import Component
from normlaw_registry.errors import InvalidComponentError, NormlawError
from normlaw_registry.hookspecs import PROJECT
from normlaw_registry.host.collection import collect
from normlaw_registry.host.contract import DISTRIBUTION, incompatibility, requirement_on_normlaw
from normlaw_registry.host.record import PluginRecord

CHOICE = "NORMLAW_PLUGINS"
"""The environment variable that chooses the plugins beside normlaw's own: names of distributions or of entry
points, separated by commas. Empty: none; not set: all."""


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
        installed = list(entry_points(group=PROJECT))
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
    begun = time.monotonic()
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
        seconds=time.monotonic() - begun,
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
