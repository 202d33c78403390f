"""A kind of component is added in one place; what else it owes its users is asked for here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner

import normlaw_registry
from normlaw.cli import plugins as cli
from normlaw.cli.program import main
from normlaw.verbs import new_plugin
from normlaw.verbs.plugins import as_dict
from normlaw_registry import Catalogue, Component, DuplicateComponentError, hookimpl, hookspecs
from normlaw_registry.host import Kind, inspect_plugin, kinds
from normlaw_registry.testing.battery import CHECKS

PAGES = Path(__file__).parents[2] / "docs" / "reference"


@dataclass(frozen=True, kw_only=True, eq=False)
class Optimiser(Component):
    """A kind that normlaw does not have."""

    kind: ClassVar[str] = "optimiser"
    functions: ClassVar[tuple[str, ...]] = ("step",)

    step: Callable[[], None]


class Lab:
    """A plugin of that kind."""

    @hookimpl
    def normlaw_optimisers(self):
        yield Optimiser(name="lion", summary="Signs of a momentum", step=lambda: None)


@pytest.fixture
def one_more_kind(monkeypatch) -> None:
    row = Kind(component=Optimiser, hook="normlaw_optimisers", title="Optimiser")
    monkeypatch.setattr(kinds, "KINDS", (*kinds.KINDS, row))


def test_without_a_line_in_the_table_there_is_no_such_hook() -> None:
    failure = inspect_plugin(Lab()).failure
    assert failure is not None
    assert "hook 'normlaw_optimisers' does not exist" in failure


def test_a_line_in_the_table_is_all_that_a_new_kind_needs(one_more_kind) -> None:
    record = inspect_plugin(Lab())
    assert record.failure is None
    catalogue = Catalogue.of([record])
    assert catalogue.names(Optimiser) == ["lion"]
    assert catalogue.get(Optimiser, "lion").summary == "Signs of a momentum"
    with pytest.raises(DuplicateComponentError, match="optimiser 'lion' is claimed by more than one"):
        Catalogue.of([record, inspect_plugin(Lab())]).get(Optimiser, "lion")
    (listed,) = as_dict(catalogue)["plugins"][0]["components"]
    assert (listed["kind"], listed["name"]) == ("optimiser", "lion")
    assert any("optimiser" in line and "Signs of a momentum" in line for line in cli.as_lines(catalogue))


def test_a_new_kind_is_written_once_there_is_a_template(one_more_kind, tmp_path, monkeypatch) -> None:
    assert "optimiser" not in new_plugin.writable()
    (tmp_path / "optimiser.py.jinja").touch()
    monkeypatch.setattr(new_plugin, "TEMPLATES", tmp_path)
    assert list(new_plugin.writable()) == ["optimiser"]


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.name)
def test_each_kind_has_what_its_users_need(kind) -> None:
    assert kind.component.__name__ in normlaw_registry.AUTHOR
    assert "Example::" in str(getattr(hookspecs, kind.hook).__doc__)
    assert kind.component in CHECKS
    assert new_plugin.writable()[kind.option] == kind
    assert kind.option in CliRunner().invoke(main, ["plugins", "new", "--help"]).output
    assert any(f"{{components}} {kind.name}\n" in page.read_text() for page in PAGES.glob("*.md"))
