"""Directive `{api} PACKAGE`: everything public in a package's modules, from their docstrings."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from docutils import nodes
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


class Api(SphinxDirective):
    """Documents the modules that the arguments name, and all below them; `only` leaves out those below."""

    required_arguments = 1
    optional_arguments = 99
    option_spec = {"only": lambda _: True}  # noqa: RUF012 (as docutils declares it)

    def run(self) -> list[nodes.Node]:
        """Return a section for each module."""
        listed = [
            module
            for name in self.arguments
            for module in ([name] if "only" in self.options else modules(name))
        ]
        found: list[str] = []
        for module in listed:
            found += [
                f"## `{module}`",
                "",
                "```{eval-rst}",
                f".. automodule:: {module}",
                "   :members:",
                "```",
                "",
            ]
        return self.parse_text_to_nodes("\n".join(found), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("api", Api)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
