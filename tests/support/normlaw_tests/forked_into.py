"""Scripts of a virtual environment, run by a process that is forked from one that has imported everything.

They find what the environment has, and nothing else: what it lacks is forgotten, imported though it was. So a
script fails for want of a package as it does in a Python of its own, without the seconds that its imports take.
"""

from __future__ import annotations

import importlib
import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from normlaw_tests import forked

KEPT = ("__main__", "__mp_main__")
"""Modules that are nobody's."""


def run(
    environment: Path, script: str, *arguments: str | Path, folder: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a Python script of an environment's `bin` to its end, in a folder and with environment variables.

    Also `python`, with `-m`, a module and its arguments.
    """
    return forked.done(_be, str(environment), script, *map(str, arguments), folder=folder, env=env)


def _be(environment: str, script: str, *arguments: str) -> None:
    (site,) = Path(environment, "lib").glob("python*/site-packages")
    linked = [line for file in site.glob("*.pth") for line in file.read_text().splitlines()]
    standard = [path for path in sys.path if path.startswith(sys.base_prefix) and "site-packages" not in path]
    sys.path[:] = [*standard, str(site), *(path for path in linked if Path(path).is_dir())]
    importlib.invalidate_caches()
    there = {
        path.name.partition(".")[0]
        for place in sys.path
        if Path(place).is_dir()
        for path in Path(place).iterdir()
    }
    there |= {*KEPT, *sys.stdlib_module_names}
    for name in [*sys.modules]:
        if name.partition(".")[0] not in there:
            del sys.modules[name]
    if (registry := sys.modules.get("normlaw_registry")) is not None:
        registry.load_catalogue.cache_clear()
    path = str(Path(environment, "bin", script))
    if script == "python":
        assert arguments[0] == "-m", arguments
        sys.path.insert(0, str(Path.cwd()))
        sys.argv[:] = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = [path, *arguments]
        runpy.run_path(path, run_name="__main__")
