"""Keys that change together: under `vary`, the key `steps, batch_size` takes pairs of values.

A width has a number of steps that suits it; the product of all widths with all numbers of steps is another
study.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any


def keys_of(varied: str) -> tuple[str, ...]:
    """Return the keys of a run that a key of `vary` is about.

    >>> keys_of("seed"), keys_of("architecture.params.hidden, steps")
    (('seed',), ('architecture.params.hidden', 'steps'))
    """
    return tuple(part.strip() for part in varied.split(","))


def part_of(varied: str, value: Any, number: int) -> Any:
    """Return the value of one of the keys, counted from 0: that of a sole key is the value itself."""
    return value[number] if len(keys_of(varied)) > 1 else value


def parted(varied: str, values: Sequence[Any]) -> None:
    """Refuse values of several keys that have not one part for each.

    Raises:
        ValueError: says which.

    """
    if (count := len(keys_of(varied))) == 1:
        return
    for value in values:
        if not isinstance(value, list | tuple) or len(value) != count:
            raise ValueError(f"{varied}: a value is a list of {count}, one for each key, got {value!r}"[:300])


def reduced(varied: str, values: Any, gone: Container[str]) -> tuple[str, Any]:
    """Return a key of `vary` and its values without some of the keys that it is about; '' where none is left.

    >>> reduced("batch_size, steps", [[4, 10], [8, 10]], {"batch_size"})
    ('steps', [10])
    """
    keys = keys_of(varied)
    left = [number for number, key in enumerate(keys) if key not in gone]
    if len(left) == len(keys) or not left:
        return (varied if left else ""), values
    if not isinstance(values, list | tuple) or any(
        not isinstance(value, list | tuple) or len(value) != len(keys) for value in values
    ):
        return varied, values  # refused later, as it stands
    rest = [[value[number] for number in left] for value in values]
    rows = rest if len(left) > 1 else [row[0] for row in rest]
    return ", ".join(keys[number] for number in left), [
        row for i, row in enumerate(rows) if row not in rows[:i]
    ]
