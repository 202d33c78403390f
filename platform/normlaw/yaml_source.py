"""YAML with line numbers, so that an error can say where."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import yaml

from normlaw_registry import InputError

MAX_BYTES = 1_000_000
"""A study is a page of text; something larger is the wrong file."""


class YamlSource:
    """A YAML file: its data and the line of every key.

    Raises:
        InputError: the file cannot be read, is too large, is not YAML, is no mapping, has a key twice, or
            has aliases (a few lines of them can grow to gigabytes, and a study needs none).

    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._lines: dict[tuple[Hashable, ...], int] = {}
        try:
            root = yaml.compose(text, Loader=_NoAliases)
            if not isinstance(root, yaml.MappingNode):
                raise InputError(f"{name}: a study is a mapping with the keys name, fixed and vary")
            self.data: dict[str, Any] = yaml.load(text, Loader=_NoAliases)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise InputError(f"{name}:{line}: not YAML: {error.problem}") from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise InputError(f"{name}: not YAML: {error}") from None
        self._index(root, ())

    @classmethod
    def read(cls, path: Path) -> YamlSource:
        """Read a file. Raises as the class does."""
        try:
            if path.stat().st_size > MAX_BYTES:
                raise InputError(f"{path}: larger than {MAX_BYTES} bytes, which no study is")
            return cls(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a text in UTF-8"
            raise InputError(f"{path}: cannot be read: {reason}") from None

    def where(self, path: Sequence[Hashable]) -> str:
        """Return 'file:line: dotted.path' of the deepest part of `path` that the file has."""
        dotted = ".".join(str(part) for part in path)
        for length in range(len(path), -1, -1):
            if (line := self._lines.get(tuple(path[:length]))) is not None:
                return f"{self.name}:{line}: {dotted}".rstrip(": ")
        return f"{self.name}: {dotted}".rstrip(": ")

    def overlaid(self, path: tuple[str, ...], replaced: tuple[str, ...] = ()) -> YamlSource:
        """Return the same source with the mapping at `path` laid over the whole, keeping each value's line.

        Mappings are merged key by key; what stands under a key of a top-level mapping named in `replaced`
        gives way as a whole.
        """
        result = copy(self)
        top: Any = self.data
        for part in path:
            top = top[part]
        result.data = _merged(self.data, top or {})
        result._lines = dict(self._lines)
        over = {at[len(path) :]: line for at, line in self._lines.items() if at[: len(path)] == path}
        for key in replaced:
            for name in (top or {}).get(key) or {}:
                result.data[key][name] = top[key][name]
                gone = [at for at in result._lines if at[:2] == (key, name)]
                for at in gone:
                    del result._lines[at]
        result._lines.update({at: line for at, line in over.items() if at})
        return result

    def _index(self, node: yaml.Node, path: tuple[Hashable, ...]) -> None:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                at = (*path, key.value)
                if at in self._lines:
                    raise InputError(
                        f"{self.name}:{key.start_mark.line + 1}: {key.value!r} stands here a second time"
                    )
                self._lines[at] = key.start_mark.line + 1
                self._index(value, at)
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                self._index(value, (*path, number))


def _merged(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        both = {key: _merged(below.get(key), value) for key, value in above.items()}
        return {**below, **both}
    return above


class _NoAliases(yaml.SafeLoader):
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not allowed", problem_mark=event.start_mark)
        return super().compose_node(parent, index)
