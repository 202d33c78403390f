"""Directive `{study-keys} NAME`: what a model of the study file says of itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from described import keys, plain
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from normlaw.base.typed import Model
from normlaw.study import intervention, run_options, spec, study, trainer
from normlaw.study.beside import BesideName

if TYPE_CHECKING:
    from sphinx.application import Sphinx

BASES = (Model, BesideName)
"""Which no key of a study is read by itself."""


def models() -> dict[str, type[Model]]:
    """Return the models that a study file is read by: name -> model."""
    return {
        name: value
        for module in (study, spec, run_options, trainer, intervention)
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, Model) and value not in BASES
    }


def text(name: str, prefix: str = "") -> Iterator[str]:
    """Yield a model's description and its keys as Markdown."""
    model = models()[name]
    yield plain(inspect.cleandoc(model.__doc__ or "")) + "\n"
    yield from keys(model, prefix)


class StudyKeys(SphinxDirective):
    """The keys of one model; the option `prefix` goes before each, such as `optimizer.`."""

    required_arguments = 1
    option_spec = {"prefix": str}  # noqa: RUF012 (as docutils declares it)

    def run(self) -> list[nodes.Node]:
        """Return the description and a definition list."""
        markdown = "\n".join(text(self.arguments[0], self.options.get("prefix", "")))
        return self.parse_text_to_nodes(markdown)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("study-keys", StudyKeys)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
