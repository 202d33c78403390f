"""The contract has two sides, and a component is written with one of them."""

import ast
from pathlib import Path

import normlaw_plugins
import normlaw_registry
from normlaw_registry import host

PLACE = Path(str(normlaw_plugins.__file__)).parent


def test_no_built_in_component_takes_the_hosts_names() -> None:
    taken = {
        (file.name, name.name)
        for file in PLACE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "normlaw_registry"
        for name in node.names
    }
    names = {name for _, name in taken}
    assert names & set(normlaw_registry.AUTHOR)
    assert not names & set(normlaw_registry.HOST)


def test_what_is_the_hosts_is_exported_by_both() -> None:
    assert set(normlaw_registry.HOST) <= set(normlaw_registry.__all__) & set(host.__all__)
    assert all(getattr(normlaw_registry, name) is getattr(host, name) for name in normlaw_registry.HOST)
