"""The contract's version: what it holds still, and how a plugin built for another one is told."""

import dataclasses
import inspect
import json
import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import normlaw_registry
from normlaw_registry import CONTRACT_VERSION, hookspecs
from normlaw_registry.component import Component
from normlaw_registry.former_names import FORMER
from normlaw_registry.host.contract import CONTRACTS, incompatibility, requirement_on_normlaw
from normlaw_registry.host.kinds import KINDS
from normlaw_tests import forked

HISTORY = {1: "0.1", 2: "0.4", 3: "1.0"}
NAMES = (*normlaw_registry.__all__, *FORMER)
SNAPSHOT = Path(__file__).parent / "contract.json"


@pytest.mark.parametrize(
    ("requirement", "installed"),
    [
        ("normlaw>=0.4", "0.4.0"),
        ("normlaw>=0.5", "0.9.3"),
        ("normlaw~=0.4", "0.6"),
        ("normlaw==0.5.*", "0.5.2"),
        ("Normlaw >= 0.4", "0.4"),
        ("normlaw", "0.5"),  # says nothing: tried as it is
        ("other>=9", "0.5"),
        ("normlaw>=9; extra == 'later'", "0.5"),
        ("normlaw>=9; python_version < '3'", "0.5"),
        ("not a requirement!", "0.5"),
        ("normlaw>=1.0.dev0", "1.0.0rc1"),  # a pre-release has the contract of the release it leads to
    ],
)
def test_a_plugin_of_the_same_contract_is_used(requirement, installed) -> None:
    assert incompatibility([requirement], installed, HISTORY) is None


def test_a_plugin_of_an_older_contract_is_told_what_to_do() -> None:
    told = incompatibility(["numpy", "normlaw>=0.2"], "0.5.1", HISTORY)
    assert told == (
        "built for contract 1 of the registry (it requires 'normlaw>=0.2'), but normlaw 0.5.1 has contract 2: "
        "install a newer version of the plugin, or normlaw below 0.4"
    )
    two_behind = incompatibility(["normlaw>=0.2"], "1.1", HISTORY)
    assert two_behind is not None
    assert two_behind.endswith("normlaw below 0.4")


@pytest.mark.parametrize("requirement", ["normlaw>=1.0", "normlaw<0.5,>=0.4", "normlaw!=0.5.1"])
def test_a_plugin_that_wants_another_version_is_told_so(requirement) -> None:
    told = incompatibility([requirement], "0.5.1", HISTORY)
    assert told is not None
    assert told.startswith("it requires 'normlaw")
    assert "normlaw 0.5.1 (contract 2) is installed" in told


def test_the_requirement_is_read_without_what_extras_add() -> None:
    lines = ["normlaw[cluster]>=0.1", "normlaw>=0.3; extra == 'dev'", "torch"]
    assert requirement_on_normlaw(lines) == "normlaw>=0.1"
    assert requirement_on_normlaw(["torch"]) is None


@pytest.mark.parametrize(
    ("requires", "expected"),
    [("normlaw>=99", "it requires 'normlaw>=99'"), ("normlaw>=0.1", "ImportError: cannot import name")],
)
def test_an_installed_plugin_says_so_instead_of_failing_strangely(tmp_path, requires, expected) -> None:
    (tmp_path / "from_the_future.py").write_text("from normlaw_registry import SomethingOfContractNine\n")
    info = tmp_path / "from_the_future-3.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: from-the-future\nVersion: 3.0\nRequires-Dist: {requires}\n"
    )
    (info / "entry_points.txt").write_text("[normlaw]\nit = from_the_future\n")
    done = forked.normlaw("plugins", "--json", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1, done.stderr
    listing = json.loads(done.stdout)
    assert listing["contract"] == CONTRACT_VERSION
    (record,) = [p for p in listing["plugins"] if p["distribution"] == "from-the-future"]
    assert record["failure"].startswith(expected)
    assert record["requires"] == requires


def contract_as_it_is() -> dict[str, dict[str, Any]]:
    """Return all that a plugin can lean on by name, what it must give, and how all is called."""
    found: dict[str, dict[str, Any]] = {
        "exported": {"names": sorted(NAMES)},
        "hooks": {
            kind.hook: list(inspect.signature(getattr(hookspecs, kind.hook)).parameters) for kind in KINDS
        },
        "signatures": dict(signatures()),
    }
    for name in NAMES:
        member = getattr(normlaw_registry, name)
        if dataclasses.is_dataclass(member) and isinstance(member, type) and member is not Component:
            fields = dataclasses.fields(member)
            missing = dataclasses.MISSING
            found[name] = {
                "fields": sorted([*(f.name for f in fields), *former(member)]),
                "required": sorted(
                    f.name for f in fields if f.default is missing and f.default_factory is missing
                ),
            }
    return found


def former(member: type) -> list[str]:
    """Return the former names of a class' fields."""
    return [name for name, value in vars(member).items() if "Former name of" in (value.__doc__ or "")]


def signatures() -> Iterator[tuple[str, str]]:
    """Yield each exported function, method and field with what it takes and gives."""
    for name in NAMES:
        member = getattr(normlaw_registry, name)
        if inspect.isfunction(member):
            yield name, str(inspect.signature(member))
        if not inspect.isclass(member):
            continue
        if dataclasses.is_dataclass(member):
            for field in dataclasses.fields(member):
                yield f"{name}.{field.name}", str(field.type)
        elif "__init__" in vars(member):
            yield name, str(inspect.signature(member))
        for attribute, found in vars(member).items():
            value = getattr(found, "__func__", found)  # of a classmethod
            if attribute.startswith("_"):
                continue
            if inspect.isfunction(value):
                yield f"{name}.{attribute}", str(inspect.signature(value))
            elif isinstance(value, property) and value.fget is not None:
                yield f"{name}.{attribute}", str(inspect.signature(value.fget))


def test_nothing_that_plugins_lean_on_changes_without_a_new_contract_version() -> None:
    """A name or field that is gone, a new required field, or a signature that breaks who kept the old one,
    needs a line in CONTRACTS and a new snapshot.

    Additions need no new version; take the snapshot anew then too:
    `PYTHONPATH=tests/support python tests/registry/test_contract.py`.
    """
    agreed, now = json.loads(SNAPSHOT.read_text()), contract_as_it_is()
    assert agreed["version"] == CONTRACT_VERSION
    for name, parts in agreed["contract"].items():
        for part, members in parts.items():
            if name == "signatures":
                assert now[name].get(part) == members, part
            elif name == "hooks":
                assert now[name][part] == members, f"{name}: {part}"
            elif part == "required":  # whoever gives what need not be given any more gives it still
                assert set(now[name][part]) <= set(members), f"{name}: {part}"
            else:
                assert set(members) <= set(now[name][part]), f"{name}: {part}"


def test_the_installed_version_has_the_newest_contract() -> None:
    assert incompatibility([f"normlaw>={CONTRACTS[CONTRACT_VERSION]}"], version("normlaw")) is None


if __name__ == "__main__":
    SNAPSHOT.write_text(
        json.dumps({"version": CONTRACT_VERSION, "contract": contract_as_it_is()}, indent=1) + "\n"
    )
