"""YAML with line numbers, so that an error can say where."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import yaml

from normlaw.base.collection import no_collection
from normlaw.study.yaml_lines import DoubleKeyError, Lines, check_keys
from normlaw.study.yaml_loader import Loader, dump
from normlaw_registry import InputError
from normlaw_registry.errors import LONGEST, brief

MAX_BYTES = 1_000_000
"""A study is a page of text; something larger is the wrong file."""


class YamlSource:
    """A YAML file, or several that go over each other: the data and the line of every key.

    Args:
        text: of the file.
        name: of the file, for messages.
        numbered: whether a reader can look its lines up.

    Raises:
        InputError: the file cannot be read, is larger than `MAX_BYTES`, is not YAML, is no mapping, has a key
            twice, or what `yaml_loader.Loader` refuses.

    """

    def __init__(self, text: str, name: str, *, numbered: bool = True) -> None:
        self.name, self._numbered = name, numbered
        try:
            content = text.encode()
        except UnicodeEncodeError as error:
            line = text.count("\n", 0, error.start) + 1
            raise InputError(f"{name}:{line}: not a text in UTF-8") from None
        if len(content) > MAX_BYTES:
            raise InputError(f"{name}: larger than {MAX_BYTES} bytes, which no study is")
        try:
            with no_collection():
                self._read(Loader(content))
        except DoubleKeyError as error:
            raise InputError(f"{name}:{error.line}: {error}") from None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            line = min(line, max(len(text.splitlines()), 1))  # libyaml finds the end after the last line
            raise InputError(f"{name}:{line}: not YAML: {error.problem}"[:500]) from None
        except yaml.reader.ReaderError as error:
            line = content.count(b"\n", 0, error.position) + 1
            raise InputError(f"{name}:{line}: not YAML: {error.reason}") from None
        if not isinstance(self.data, dict):
            raise InputError(f"{name}: a study is a mapping with the keys name, fixed and vary")

    def _read(self, loader: Loader) -> None:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise InputError(f"{self.name}: a study is a mapping with the keys name, fixed and vary")
        check_keys(root)
        self._lines = [Lines(root, self.name, numbered=self._numbered)]
        """Of what goes before others first."""
        self.data: dict[str, Any] = loader.construct_document(root)

    @classmethod
    def of(cls, tree: Mapping[str, Any], name: str, *, numbered: bool = True) -> YamlSource:
        """Return what `tree` would be as a file.

        Raises:
            InputError: it holds something that YAML has no form for; or as the class does.

        """
        try:
            return cls(dump(tree), name, numbered=numbered)
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
        found = [(*lines.find(path), lines) for lines in self._lines]
        depth, line, lines = max(found, key=lambda one: one[0])
        if depth == 0:  # of the whole file
            lines = next(lines for lines in reversed(self._lines) if lines.name == self.name)
            _, line = lines.find(())
        return f"{lines.place(line)}: {dotted}".rstrip(": ")

    def overlaid(self, path: tuple[str, ...], replaced: tuple[str, ...] = ()) -> YamlSource:
        """Return the same source with the mapping at `path` laid over the whole, keeping each value's line.

        Mappings are merged key by key; what stands under a key of a top-level mapping named in `replaced`
        gives way as a whole.
        """
        result = copy(self)
        top: Any = self.data
        for part in path:
            top = top[part]
        result.data = merged(self.data, top or {})
        gone = {(key, name) for key in replaced for name in (top or {}).get(key) or {}}
        for key, name in gone:
            result.data[key][name] = top[key][name]
        over = [lines.at(path) for lines in self._lines if lines.find(path)[0] == len(path)]
        result._lines = [*over, *(lines.without(gone) for lines in self._lines)]
        return result

    def with_above(self, above: YamlSource, data: dict[str, Any], name: str) -> YamlSource:
        """Return this source with another one over it, each value with its own line.

        Args:
            above: the other.
            data: what comes of both.
            name: which of the two messages about the whole name.

        """
        result = copy(self)
        result.name, result.data = name, data
        gone = {("vary", key) for key in above.data.get("vary") or ()}
        result._lines = [*above._lines, *(lines.without(gone) for lines in self._lines)]
        return result


def merged(below: Any, above: Any) -> Any:
    """Return two trees as one: mappings key by key, anything else as it stands above."""
    if isinstance(below, dict) and isinstance(above, dict):
        both = {key: merged(below.get(key), value) for key, value in above.items()}
        return {**below, **both}
    return above
