"""What a run ran with: versions, plugins, the machine, the git commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError
from typing import Any

from normlaw.machine.installed import version
from normlaw_registry import Catalogue

PACKAGES = (
    "normlaw",
    "torch",
    "torchvision",
    "numpy",
    "pandas",
    "scikit-learn",
    "mlflow",
    "pydantic",
    "pluggy",
)


def describe(catalogue: Catalogue) -> dict[str, Any]:
    """Return the environment in JSON's own types."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "plugins": plugin_versions(catalogue),
        "git_commit": git_commit(),
    }


def plugin_versions(catalogue: Catalogue) -> dict[str, str]:
    """Return the version of every distribution that provides a usable plugin."""
    return {r.distribution: r.version for r in catalogue.records if r.failure is None}


def git_commit() -> str | None:
    """Return the commit checked out in the working folder, with '+changes' when it is not clean."""
    try:
        commit = _git("rev-parse", "HEAD")
        return f"{commit}+changes" if _git("status", "--porcelain", "--untracked-files=no") else commit
    except (OSError, subprocess.SubprocessError):  # no git, or no repository
        return None


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
