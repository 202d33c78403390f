"""YAML with the types of JSON alone, read by libyaml where it is there (35 times as fast as Python)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import ConstructorError, SafeConstructor

from normlaw_registry.errors import brief

MAX_DEPTH = 100
"""Levels of lists and mappings; Python's own limit lies lower than libyaml's."""
LONGEST_NUMBER = 100
"""Characters of a number: Python takes time that grows as the square of a longer one, or refuses."""

_Reader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: type[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Loader(Composer, _Reader):  # type: ignore[misc]
    """Reads mappings, lists, texts, numbers, booleans and null.

    Raises:
        MarkedYAMLError: anything else, tags of other types and dates among them; aliases (a few lines of
            them can grow to gigabytes, and a study needs none); lists and mappings below `MAX_DEPTH` others;
            numbers of more than `LONGEST_NUMBER` characters. With its line.
        ReaderError: a character that YAML does not have.

    """

    def __init__(self, content: bytes) -> None:
        _Reader.__init__(self, content)
        Composer.__init__(self)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the next node; see yaml."""
        event: Any = self.peek_event()
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not allowed", problem_mark=event.start_mark)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem=f"more than {MAX_DEPTH} lists and mappings within each other",
                problem_mark=event.start_mark,
            )
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _scalar(kind: str) -> Callable[[Any, yaml.ScalarNode], Any]:
    construct = SafeConstructor.yaml_constructors[f"tag:yaml.org,2002:{kind}"]

    def checked(loader: Any, node: yaml.ScalarNode) -> Any:
        if kind in ("int", "float") and len(node.value) > LONGEST_NUMBER:
            problem = f"a number of more than {LONGEST_NUMBER} characters: {brief(node.value)}"
            raise ConstructorError(None, None, problem, node.start_mark)
        try:
            return construct(loader, node)
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError):
            problem = f"{brief(node.value)} is no {kind}"
            raise ConstructorError(None, None, problem, node.start_mark) from None

    return checked


def _date(_loader: Any, node: yaml.Node) -> Any:
    problem = f"{brief(node.value)} is a date to YAML; put it in quotes where text is meant"
    raise ConstructorError(None, None, problem, node.start_mark)


def _other(_loader: Any, node: yaml.Node) -> Any:
    problem = f"could not determine a constructor for the tag {brief(node.tag)}"
    raise ConstructorError(None, None, problem, node.start_mark)


Loader.yaml_constructors = {
    **{f"tag:yaml.org,2002:{kind}": _scalar(kind) for kind in ("null", "bool", "int", "float", "str")},
    "tag:yaml.org,2002:seq": SafeConstructor.construct_yaml_seq,
    "tag:yaml.org,2002:map": SafeConstructor.construct_yaml_map,
    "tag:yaml.org,2002:timestamp": _date,
    None: _other,
}
Loader.yaml_multi_constructors = {}


class _WithoutAliases(_Dumper):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:
        return True


def dump(tree: Any, *, compact: bool = False) -> str:
    """Return a tree as YAML that `Loader` reads; what stands in it twice is written twice.

    Args:
        tree: mappings, lists, texts, numbers, booleans, dates and null.
        compact: whether lists and mappings of single values stand on one line.

    Raises:
        YAMLError: it holds something else than mappings, lists, texts, numbers, booleans, dates and null.
        RecursionError: it holds itself.

    """
    text: str = yaml.dump(
        tree, Dumper=_WithoutAliases, sort_keys=False, default_flow_style=None if compact else False, width=100
    )
    return text
