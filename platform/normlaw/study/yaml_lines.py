"""In which line of a YAML file each key stands, looked up when it is asked for: an index would take long."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import yaml

from normlaw_registry.errors import brief

Path = Sequence[Hashable]


class DoubleKeyError(Exception):
    """A key stands twice in one mapping.

    Attributes:
        line: of the second time.

    """

    def __init__(self, key: str, line: int) -> None:
        super().__init__(f"{brief(key)} stands here a second time")
        self.line = line


class Lines:
    """Lines of the keys below a node.

    Args:
        root: the node.
        name: of the file.
        replaced: keys below it, each by its first two parts, that stand elsewhere with all that is below them.
        numbered: whether it has lines that a reader could look up.

    """

    def __init__(
        self,
        root: yaml.Node,
        name: str,
        replaced: Iterable[tuple[Hashable, Hashable]] = (),
        numbered: bool = True,
    ) -> None:
        self._root, self.name, self._replaced, self._numbered = root, name, frozenset(replaced), numbered

    def place(self, line: int) -> str:
        """Return what stands for a line in messages: 'FILE:LINE', or the name alone."""
        return f"{self.name}:{line}" if self._numbered else self.name

    def find(self, path: Path) -> tuple[int, int]:
        """Return how many parts of a path there are, and the line of the last; (0, the first) if none."""
        node, line = self._root, self._root.start_mark.line + 1
        for depth, part in enumerate(path):
            found = _below(node, part)
            if found is None or (depth == 1 and tuple(path[:2]) in self._replaced):
                return depth, line
            line, node = found
        return len(path), line

    def at(self, path: Path) -> Lines:
        """Return the lines below a key that is there."""
        node = self._root
        for part in path:
            found = _below(node, part)
            assert found is not None, path
            _, node = found
        return Lines(node, self.name, numbered=self._numbered)

    def without(self, replaced: Iterable[tuple[Hashable, Hashable]]) -> Lines:
        """Return the lines of what is not replaced."""
        return Lines(self._root, self.name, self._replaced.union(replaced), self._numbered)


def check_keys(root: yaml.Node) -> None:
    """Refuse keys that are no words, and keys that stand twice; the first in the file is told.

    Raises:
        MarkedYAMLError: a key is a list or a mapping.
        DoubleKeyError: a key stands twice in one mapping.

    """
    if isinstance(root, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in root.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is a word", problem_mark=key.start_mark)
            if key.value in seen:
                raise DoubleKeyError(key.value, key.start_mark.line + 1)
            seen.add(key.value)
            if not isinstance(value, yaml.ScalarNode):
                check_keys(value)
    elif isinstance(root, yaml.SequenceNode):
        for value in root.value:
            if not isinstance(value, yaml.ScalarNode):
                check_keys(value)


def _below(node: yaml.Node, part: Hashable) -> tuple[int, yaml.Node] | None:
    """Return the line of a key or an entry of a list, and the node there; None where there is none."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and 0 <= part < len(node.value):
        entry = node.value[part]
        return entry.start_mark.line + 1, entry
    return None
