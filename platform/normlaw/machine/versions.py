"""Whether what is installed is what normlaw asks for."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement

from normlaw.machine.finding import Finding
from normlaw.machine.installed import version

SHOWN = ("normlaw", "torch", "mlflow", "numpy")


def check() -> list[Finding]:
    """Return whether each distribution that normlaw requires is there, in a version that it takes."""
    wrong = []
    for line in requires("normlaw") or []:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement} is missing")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement} is wanted, {found} is installed")
    if wrong:
        advice = "install normlaw with its tested versions: pip install -c constraints.txt ."
        return [Finding("versions", "bad", "; ".join(wrong), advice)]
    shown = ", ".join(f"{name} {version(name)}" for name in SHOWN)
    return [Finding("versions", "good", f"Python {platform.python_version()}, {shown}")]
