"""What is said of an error in code that others wrote: its reason in one sentence, and its traceback."""

from __future__ import annotations

import site
import sysconfig
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from normlaw.base.redaction import printable
from normlaw_registry import NormlawError, load_catalogue

MAX_TRACEBACK = 20_000
"""Characters of a traceback that are kept, of its end: what MLflow shows of a file at once."""
OWN_PACKAGES = frozenset({"normlaw", "normlaw_registry"})


@dataclass(frozen=True)
class Failure:
    """Why something failed, without secrets and without characters that steer a terminal."""

    reason: str
    traceback: str = ""
    """As Python shows it; empty where there is none, as when the process was killed."""

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Return what is said of an exception; see `reason` and `traceback_of`."""
        return cls(reason(error), traceback_of(error))


def reason(error: BaseException) -> str:
    """Return why something failed, with file and line of the plugin's code where the plugin's code is to blame.

    An error that normlaw, or a plugin, raises on purpose is its own text; one in which normlaw tells of another
    has the place of that one.
    """
    if not isinstance(error, NormlawError):
        text, at = what(error), where(error)
    else:
        origin = _origin(error)
        tells_of_another = not isinstance(origin, NormlawError) and _is_own(error)
        text, at = str(error), place(_frames(origin), (_is_plugins, _is_nobodys_library)) * tells_of_another
    return printable(f"{text} ({at})" if at else text)


def what(error: BaseException) -> str:
    """Return the kind of an exception and what it says.

    >>> what(ValueError("no")), what(SystemExit(3)), what(KeyError("a"))
    ('ValueError: no', 'it called sys.exit(3)', "KeyError: 'a'")
    """
    if isinstance(error, SystemExit):
        return f"it called sys.exit({'' if error.code is None else repr(error.code)})"
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def where(error: BaseException) -> str:
    """Return where an exception comes from, as `place` says it."""
    return place(_frames(error))


def place(frames: Sequence[tuple[str, int]], kinds: Sequence[Callable[[str], bool]] | None = None) -> str:
    """Return 'FILE, line N' of the innermost frame of a plugin; of any code that is no library's; or of all.

    Args:
        frames: file and line of each, the innermost last.
        kinds: which files to look for, the best first; by default the three above.

    """
    for is_theirs in kinds or (_is_plugins, _is_nobodys_library, bool):
        for file, line in reversed(frames):
            if is_theirs(file):
                return f"{file}, line {line}"
    return ""


def traceback_of(error: BaseException) -> str:
    """Return the traceback as Python shows it, or its end."""
    return shortened("".join(traceback.format_exception(error)))


def shortened(text: str) -> str:
    """Return a traceback as it may be kept and shown."""
    text = printable(text)
    return text if len(text) <= MAX_TRACEBACK else f"...\n{text[-MAX_TRACEBACK:]}"


def _origin(error: BaseException) -> BaseException:
    """Return the first exception of a chain of `raise ... from ...`."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _frames(error: BaseException) -> list[tuple[str, int]]:
    return [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]


def _is_own(error: BaseException) -> bool:
    """Return whether normlaw itself raised it, and not a plugin."""
    frames = _frames(error)
    folders = [folder for package in OWN_PACKAGES for folder in _folders(package)]
    return bool(frames) and any(Path(frames[-1][0]).is_relative_to(folder) for folder in folders)


def _is_plugins(file: str) -> bool:
    return any(Path(file).is_relative_to(folder) for folder in _plugin_folders())


def _is_nobodys_library(file: str) -> bool:
    return not file.startswith("<") and not any(Path(file).is_relative_to(f) for f in _library_folders())


@cache
def _plugin_folders() -> tuple[str, ...]:
    packages = {record.module.partition(".")[0] for record in load_catalogue().records} - OWN_PACKAGES
    return tuple(folder for package in packages for folder in _folders(package))


@cache
def _library_folders() -> tuple[str, ...]:
    standard = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    own = {folder for package in OWN_PACKAGES for folder in _folders(package)}
    return tuple({*standard, *own, *site.getsitepackages(), site.getusersitepackages()})


def _folders(package: str) -> list[str]:
    """Return the folders of an importable package, or the file of a module."""
    try:
        found = find_spec(package)
    except (ImportError, ValueError):  # a plugin that failed to load
        return []
    if found is None:
        return []
    return list(found.submodule_search_locations or ()) or [found.origin or ""]
