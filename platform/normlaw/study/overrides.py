"""Settings that go over a study: `--set KEY=VALUE` on the command line, `overrides` in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from normlaw.study.layers import laid_over, opened_at
from normlaw.study.pairs import pairs, values
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study, parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import InputError
from normlaw_registry.errors import brief, suggestion

OF_THE_STUDY = ("name", "description", "norm", "analysis", "fork", "arms", "fixed", "vary")
"""Keys of a study that can be set; any other one is a key of its runs."""
KEYS = (*RunSpec.model_fields, *OF_THE_STUDY)


def parse_overrides(texts: Iterable[str], what: str) -> dict[str, Any]:
    """Return settings written as KEY=VALUE, keys dotted, values as in a study file.

    >>> parse_overrides(["steps=100", "architecture.params.hidden=[32, 32]"], "--set")
    {'steps': 100, 'architecture.params.hidden': [32, 32]}

    Args:
        texts: the settings.
        what: where they stand, for messages.

    Raises:
        InputError: a text is not of that form, its value is no YAML, or a key is given twice.

    """
    example = "optimizer.learning_rate=0.01"
    return values(pairs(texts, what, example, is_name=lambda key: all(key.split("."))), what)


def with_overrides(study: Study, overrides: Mapping[str, Any], what: str) -> Study:
    """Return a study with other settings, as if its file had them; its name stays unless it is set.

    A key of a run stands for itself (`optimizer.learning_rate`), whether the study fixes or varies it: a list
    in the place of varied values is a list of values, a single value fixes the key. Keys of the study are
    `name`, `description`, `norm`, `analysis. ...`, and, to vary what was fixed, `vary.KEY`. None takes a key
    away.

    Args:
        study: the study.
        overrides: values by dotted keys.
        what: where they stand, for messages.

    Raises:
        InputError: there is no such key (names the nearest), one stands below another, or a value is wrong.

    """
    if not overrides:
        return study
    tree: dict[str, Any] = {}
    for key, value in overrides.items():
        _put(tree, _place(key, value, study, what), value, f"{what} {key}")
    above = YamlSource.of(tree, what, numbered=False)
    below = study.source
    return parse_study(below.with_above(above, laid_over(below.data, above.data), below.name))


def _place(key: str, value: Any, study: Study, what: str) -> list[str]:
    """Return where in a study's tree a setting stands."""
    first, _, rest = key.partition(".")
    if first in ("fixed", "analysis", "fork", "arms") or key in OF_THE_STUDY:
        return key.split(".")
    if first == "vary":
        return ["vary", rest]
    if first not in RunSpec.model_fields:
        raise InputError(f"{what} {key}: unknown key {brief(first)}, {suggestion(first, KEYS)}")
    several = isinstance(value, list | tuple) or (isinstance(value, Mapping) and set(value) == {"count"})
    if key in (*study.vary, *study.varied) and several:
        return ["vary", key]
    return ["fixed", *key.split(".")]


def _put(tree: dict[str, Any], place: list[str], value: Any, what: str) -> None:
    *parents, last = place

    def refused(parent: str) -> str:
        return f"{what}: `{parent}` is set as a whole too; keep one of the two"

    tree = opened_at(tree, parents, refused)
    if isinstance(value, str) and isinstance(tree.get(last), dict):
        tree[last].setdefault("name", value)
    elif last in tree:
        raise InputError(f"{what}: `{last}` is set in another way too; keep one of the two")
    else:
        tree[last] = value
