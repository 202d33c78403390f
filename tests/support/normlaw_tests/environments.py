"""Virtual environments that have what a reader of a page has, and nothing else: made of what is installed here.

What an index would give is linked from this environment, without a network; normlaw itself is this checkout.
"""

from __future__ import annotations

import csv
import os
import sys
import tomllib
import venv
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PACKAGES = ("registry", "plugins", "platform")


def needed(name: str, extras: frozenset[str], found: dict[str, set[str]] | None = None) -> dict[str, set[str]]:
    """Return all that a distribution needs, directly or not: name -> extras wanted; adds to `found`."""
    found = {} if found is None else found
    new = {"", *extras} - found.setdefault(canonicalize_name(name), set())
    found[canonicalize_name(name)] |= new
    for requirement in _requirements(name, new):
        needed(requirement.name, frozenset(requirement.extras), found)
    return found


def _requirements(name: str, extras: set[str]) -> list[Requirement]:
    """Return what extras of a distribution ask for ("": it all asks for); of normlaw, as declared here."""
    if canonicalize_name(name) == "normlaw":
        return [Requirement(one) for extra in sorted(extras) for one in _declared(ROOT, extra)]
    try:
        found = [Requirement(one) for one in distribution(name).requires or []]
    except PackageNotFoundError:
        return []
    return [
        one for one in found if any(one.marker is None or one.marker.evaluate({"extra": e}) for e in extras)
    ]


def _declared(folder: Path, extra: str) -> list[str]:
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    found: list[str] = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return found


def make(folder: Path, requirements: Iterable[str]) -> Path:
    """Make a virtual environment as `python3 -m venv` and `pip install REQUIREMENTS` do; return its folder."""
    venv.create(folder, symlinks=True)
    install(folder, requirements)
    return folder


def install(environment: Path, requirements: Iterable[str]) -> None:
    """Link what requirements bring, with their scripts, into an environment.

    Raises:
        PackageNotFoundError: this environment lacks what is asked for itself.

    """
    (site,) = (environment / "lib").glob("python*/site-packages")
    for requirement in map(Requirement, requirements):
        distribution(requirement.name)
        for name in needed(requirement.name, frozenset(requirement.extras)):
            try:
                found = distribution(name)
            except PackageNotFoundError:  # what another platform needs
                continue
            _link(found, site, environment / "bin")


def _link(found: Distribution, site: Path, scripts: Path) -> None:
    own = canonicalize_name(found.name) == "normlaw"
    if own:
        (site / "normlaw_checkout.pth").write_text("".join(f"{ROOT / name}\n" for name in PACKAGES))
    names = (row[0] for row in csv.reader((found.read_text("RECORD") or "").splitlines()))
    files = [parts for name in names if (parts := tuple(name.split("/")))[0] not in ("..", "__pycache__")]
    if own:
        files = [parts for parts in files if parts[0].endswith(".dist-info")]
    packages = {parts[:-1] for parts in files if parts[-1] == "__init__.py"}
    linked = set()
    for parts in files:
        depth = 1
        while depth < len(parts) and parts[:depth] not in packages and not parts[0].endswith(".dist-info"):
            depth += 1  # a folder that distributions may share
        linked.add(parts[:depth])
    for parts in linked:
        target = site.joinpath(*parts)
        if not target.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(Path(str(found.locate_file(Path(*parts)))).resolve())
    for entry in found.entry_points.select(group="console_scripts"):
        module, _, function = entry.value.partition(":")
        script = scripts / entry.name
        script.write_text(
            f"#!{scripts / 'python'}\nimport sys\nfrom {module} import {function.partition('.')[0]}\n"
            f"sys.exit({function}())\n"
        )
        script.chmod(0o755)


def pip(environment: Path) -> None:
    """Give an environment a `pip` that installs folders, and what their extras need as if from an index."""
    install(environment, ["pip", "hatchling", "editables"])  # the last two would be fetched to build
    script = environment / "bin" / "pip"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH={ROOT / "tests" / "support"} "{sys.executable}" -m normlaw_tests.environments '
        f'"{environment}" "$@" && exec "{environment}/bin/python" -m pip "$@"\n'
    )
    script.chmod(0o755)


def _wanted(word: str) -> list[str]:
    """Return what a word of `pip install` asks an index for: the requirements of a folder and of its extras."""
    folder, _, extras = word.removesuffix("]").partition("[")
    if os.sep not in word or not (Path(folder) / "pyproject.toml").exists():
        return []
    return [one for extra in ("", *filter(None, extras.split(","))) for one in _declared(Path(folder), extra)]


if __name__ == "__main__":
    install(Path(sys.argv[1]), [one for word in sys.argv[2:] for one in _wanted(word)])
