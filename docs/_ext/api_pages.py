"""Directive `{api} PACKAGE`: everything public in a package's modules, from their docstrings."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from docutils import nodes
from pydantic import BaseModel
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def modules(name: str) -> Iterator[str]:
    """Yield the dotted names of a module and, if it is a package, of all modules below it."""
    yield name
    module = importlib.import_module(name)
    for below in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
        if not below.name.endswith("__main__"):
            yield below.name


def sections(names: Iterable[str]) -> str:
    """Return a section for each module, as Markdown."""
    return "\n".join(
        f"## `{name}`\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```\n" for name in names
    )


class Api(SphinxDirective):
    """Documents the modules that the arguments name, and all below them."""

    required_arguments = 1
    optional_arguments = 99

    def run(self) -> list[nodes.Node]:
        """Return a section for each module."""
        found = (module for name in self.arguments for module in modules(name))
        return self.parse_text_to_nodes(sections(found), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive; leave out what pydantic prints of a model's keys, which the reference has."""

    def signature(_app: Sphinx, _what: str, _name: str, obj: object, *_: object) -> tuple[str, str] | None:
        return ("", "") if isinstance(obj, type) and issubclass(obj, BaseModel) else None

    app.add_directive("api", Api)
    app.connect("autodoc-process-signature", signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
