"""The built-in components, from the catalogue: directive `{components} KIND`, and `{component-code}`."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from api_pages import modules, sections
from component_examples import example
from described import keys, plain
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import normlaw_registry as registry
from normlaw_registry.host import kinds
from normlaw_registry.theory import no_prediction

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TRAINED = (
    registry.Architecture,
    registry.Dataset,
    registry.Loss,
    registry.Optimizer,
    registry.Schedule,
    registry.ComplexityMeasure,
    registry.Callback,
)
"""Kinds that take part in a run."""
KINDS = {kind.name: kind.component for kind in kinds.KINDS}


def built_in(kind: type[registry.Component]) -> list[registry.Component]:
    """Return the components of a kind that come with normlaw, in alphabetical order."""
    catalogue = registry.load_catalogue()
    return [
        catalogue.get(kind, name)
        for name in catalogue.names(kind)
        if catalogue.provider(kind, name).distribution == "normlaw"
    ]


def definition(component: registry.Component) -> tuple[str, str]:
    """Return a component's function as 'module.name', and what its docstring says before `Raises`."""
    functions = (getattr(component, name) for name in component.functions)
    function = next(one for one in functions if one not in (None, no_prediction))
    while isinstance(function, partial):
        function = function.func
    says = (inspect.getdoc(function) or "").partition("Raises:")[0].replace("Returns:\n", "\n")
    return f"{function.__module__}.{function.__qualname__}", inspect.cleandoc(says)


def section(component: registry.Component) -> Iterator[str]:
    """Yield a component's Markdown: what it is, formula, source, where it works, an example, its parameters."""
    name, says = definition(component)
    yield f"## `{component.name}`\n"
    yield f"{plain(component.summary)}.\n"
    if component.formula:
        yield f"$$\n{component.formula}\n$$\n"
    if isinstance(component, registry.Fitter):
        exponent = registry.LAW_EXPONENT[component.law]
        yield f"Law: `{component.law}`; reports `{exponent}`.\n"
    if isinstance(component, registry.AnalysisProtocol) and component.fitters:
        yield f"Fitters: {', '.join(f'`{one}`' for one in component.fitters)}.\n"
    known = "Return the log of " if component.formula else None  # what the formula says
    for paragraph in (one for one in says.split("\n\n") if known is None or not one.startswith(known)):
        yield plain(" ".join(line.strip() for line in paragraph.splitlines())) + "\n"
    yield f"Source: {plain(component.source or 'normlaw')}. Code: [`{name}`](#{name}).\n"
    if isinstance(component, TRAINED):
        devices = ", ".join(f"`{one}`" for one in component.devices or ()) or "all"
        dtypes = ", ".join(f"`{one}`" for one in component.dtypes or ()) or "all"
        yield f"Devices: {devices}. Precisions of training: {dtypes}.\n"
    if command := example(component):
        yield f"```sh\n{command}\n```\n"
    if isinstance(component, registry.Theory):
        yield from declared(component)
    yield from keys(component.params)
    if isinstance(component, registry.Architecture):
        for preset, values in component.presets.items():
            shown = ", ".join(f"{key}: {json.dumps(value)}" for key, value in values.items())
            yield f"- preset `{preset}`: `{shown}`"
        yield ""


def _in(unit: str) -> str:
    return f" ({plain(unit)})" if unit else ""


def declared(theory: registry.Theory) -> Iterator[str]:
    """Yield what may be asked of a theory and what it answers."""
    for role, of_role in (("axis", theory.axes), ("observable", theory.observables)):
        yield from (f"- {role} `{one.name}`{_in(one.unit)}: {plain(one.meaning)}" for one in of_role)
    for name, reference in theory.compared.items():
        yield f"- to compare `{reference.observable}` with, `{name}`: {plain(reference.meaning)}"
    yield ""


class Components(SphinxDirective):
    """All built-in components of the kind that the argument names."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a section for each."""
        found = [line for component in built_in(KINDS[self.arguments[0]]) for line in section(component)]
        return self.parse_text_to_nodes("\n".join(found), allow_section_headings=True)


def code() -> Iterator[str]:
    """Yield the modules that the reference of components leads to, and all packages."""
    components = [component for kind in KINDS.values() for component in built_in(kind)]
    named = {definition(component)[0].rpartition(".")[0] for component in components}
    named |= {component.params.__module__ for component in components}
    for name in modules("normlaw_plugins"):
        if name in named or hasattr(import_module(name), "__path__"):
            yield name


class ComponentCode(SphinxDirective):
    """The code of all built-in components; what several share, or one is made of, is read where it stands."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each module."""
        return self.parse_text_to_nodes(sections(code()), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("components", Components)
    app.add_directive("component-code", ComponentCode)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
