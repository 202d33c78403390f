"""The version of the contract, and whether a plugin was built for it.

A plugin says what it was built for where every package says it: in its requirement on `normlaw`. That can be
read without importing the plugin, and what an incompatible plugin does first is to fail in its imports; pip
checks it too; and a package without it would not install normlaw at all, so that nobody forgets it. The lower
bound is the version that the plugin was written for. An upper bound is never needed, because the table below
knows which later versions still serve it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.version import Version

DISTRIBUTION = "normlaw"
"""The distribution that carries the contract; its version is what plugins require."""

CONTRACTS: Mapping[int, str] = {1: "0.1"}
"""Contract version -> the first version of normlaw that has it. A change after which a plugin that kept the old
contract may break (a name, field or argument removed, a field added that is not optional) adds a line;
`tests/registry/contract.json` holds what must not change without one."""

CONTRACT_VERSION = max(CONTRACTS)
"""The contract that this version of normlaw keeps."""


def requirement_on_normlaw(requirements: Iterable[str]) -> str | None:
    """Return a distribution's requirement on normlaw as it stands in its metadata; None where it has none.

    Requirements that its extras add, or that are for other systems, do not count.
    """
    found = _parsed(requirements)
    return None if found is None else f"{found.name}{found.specifier}"


def incompatibility(
    requirements: Iterable[str], installed: str, contracts: Mapping[int, str] = CONTRACTS
) -> str | None:
    """Return why a distribution with these requirements cannot be used with the installed normlaw, or None.

    Args:
        requirements: its `Requires-Dist` lines.
        installed: version of the installed normlaw.
        contracts: contract version -> first version of normlaw that has it.

    """
    found = _parsed(requirements)
    if found is None:
        return None
    from packaging.version import Version

    current, lower = Version(installed), _lower_bound(found)
    now = _contract_of(current, contracts)
    built_for = now if lower is None else _contract_of(lower, contracts)
    wanted = f"{found.name}{found.specifier}"
    if built_for < now:
        since = contracts[built_for + 1]
        return (
            f"built for contract {built_for} of the registry (it requires {wanted!r}), but normlaw {installed} "
            f"has contract {now}: install a newer version of the plugin, or normlaw below {since}"
        )
    if not found.specifier.contains(current, prereleases=True):
        return (
            f"it requires {wanted!r}, but normlaw {installed} (contract {now}) is installed: "
            f"`pip install {wanted!r}`, or install another version of the plugin"
        )
    return None


def _parsed(requirements: Iterable[str]) -> Requirement | None:
    """Return the requirement on normlaw that holds here without extras; several are read as one."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    found: Requirement | None = None
    for line in requirements:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:  # not ours to judge
            continue
        if canonicalize_name(requirement.name) != DISTRIBUTION:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        if found is not None:
            requirement.specifier &= found.specifier
        found = requirement
    return found


def _lower_bound(requirement: Requirement) -> Version | None:
    """Return the lowest version that the requirement allows, as far as its bounds tell."""
    from packaging.version import Version

    lower = [
        Version(bound.version.removesuffix(".*"))
        for bound in requirement.specifier
        if bound.operator in (">=", ">", "~=", "==", "===")
    ]
    return max(lower, default=None)


def _contract_of(version: Version, contracts: Mapping[int, str]) -> int:
    """Return the contract of a version of normlaw; versions before the first contract count as having it."""
    from packaging.version import Version

    # A pre-release has the contract of the release that it leads to.
    base = Version(version.base_version)
    return max((c for c, first in contracts.items() if Version(first) <= base), default=min(contracts))
