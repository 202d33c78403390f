"""YAML with line numbers, so that an error can say where."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import yaml

from normlaw.yaml_loader import Loader, dump
from normlaw_registry import InputError
from normlaw_registry.errors import LONGEST, brief

MAX_BYTES = 1_000_000
"""A study is a page of text; something larger is the wrong file."""


class YamlSource:
    """A YAML file: its data and the line of every key.

    Raises:
        InputError: the file cannot be read, is larger than `MAX_BYTES`, is not YAML, is no mapping, has a key
            twice, or what `yaml_loader.Loader` refuses.

    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._lines: dict[tuple[Hashable, ...], int] = {}
        try:
            content = text.encode()
        except UnicodeEncodeError as error:
            line = text.count("\n", 0, error.start) + 1
            raise InputError(f"{name}:{line}: not a text in UTF-8") from None
        if len(content) > MAX_BYTES:
            raise InputError(f"{name}: larger than {MAX_BYTES} bytes, which no study is")
        try:
            loader = Loader(content)
            root = loader.get_single_node()
            if not isinstance(root, yaml.MappingNode):
                raise InputError(f"{name}: a study is a mapping with the keys name, fixed and vary")
            self._index(root, ())
            self.data: dict[str, Any] = loader.construct_document(root)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            line = min(line, max(len(text.splitlines()), 1))  # libyaml finds the end after the last line
            raise InputError(f"{name}:{line}: not YAML: {error.problem}"[:500]) from None
        except yaml.reader.ReaderError as error:
            line = content.count(b"\n", 0, error.position) + 1
            raise InputError(f"{name}:{line}: not YAML: {error.reason}") from None
        if not isinstance(self.data, dict):
            raise InputError(f"{name}: a study is a mapping with the keys name, fixed and vary")

    @classmethod
    def of(cls, tree: Mapping[str, Any], name: str) -> YamlSource:
        """Return what `tree` would be as a file.

        Raises:
            InputError: it holds something that YAML has no form for; or as the class does.

        """
        try:
            return cls(dump(tree), name)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            reason = f"cannot be written as YAML: {brief(str(error))}"
            raise InputError(f"{brief(name)}: {reason}") from None

    @classmethod
    def read(cls, path: Path) -> YamlSource:
        """Read a file. Raises as the class does."""
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)  # a pipe or a device tells no size, and may never end
            text = content[:MAX_BYTES].decode() if len(content) <= MAX_BYTES else None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a text in UTF-8"
            raise InputError(f"{brief(str(path))[1:-1]}: cannot be read: {reason}") from None
        if text is None:
            raise InputError(f"{path}: larger than {MAX_BYTES} bytes, which no study is")
        return cls(text, str(path))

    def where(self, path: Sequence[Hashable]) -> str:
        """Return 'file:line: dotted.path' of the deepest part of `path` that the file has."""
        dotted = ".".join(brief(part) if len(str(part)) > LONGEST else str(part) for part in path)
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
        gone = {(key, name) for key in replaced for name in (top or {}).get(key) or {}}
        for key, name in gone:
            result.data[key][name] = top[key][name]
        if gone:
            result._lines = {at: line for at, line in result._lines.items() if at[:2] not in gone}
        result._lines.update({at: line for at, line in over.items() if at})
        return result

    def _index(self, node: yaml.Node, path: tuple[Hashable, ...]) -> None:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise yaml.MarkedYAMLError(problem="a key is a word", problem_mark=key.start_mark)
                at = (*path, key.value)
                if at in self._lines:
                    raise InputError(
                        f"{self.name}:{key.start_mark.line + 1}: {brief(key.value)} stands here a second time"
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
