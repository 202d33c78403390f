"""A study with other train sizes and seeds than its lists say: runs named one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from normlaw.study.study import Study, parse_study
from normlaw.study.together import keys_of, part_of
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import InputError

OWN = ("train_size", "seed")
"""What runs of one law may differ in."""


@dataclass(frozen=True)
class Combination:
    """One combination of what a study varies besides train size and seed."""

    values: Mapping[str, Any]
    """By dotted key, as the study has them."""
    study: Study
    """The study with this combination alone."""


def combinations(study: Study) -> Iterator[Combination]:
    """Yield the combinations of what a study varies besides train size and seed: one, if there is nothing.

    Raises:
        InputError: a train size or a seed changes together with something else.

    """
    others: dict[str, tuple[Any, ...]] = {}
    for key, values in study.vary.items():
        if foreign := [one for one in keys_of(key) if one not in OWN]:
            if len(foreign) < len(keys_of(key)):
                raise InputError(
                    f"study {study.name!r} varies `{key}` together: a law is one of runs that are alike in all "
                    "but train size and seed, and here no other size has the same settings"
                )
            others[key] = values
    for chosen in product(*others.values()):
        fixed = {
            one: part_of(key, value, number)
            for key, value in zip(others, chosen, strict=True)
            for number, one in enumerate(keys_of(key))
        }
        alone = {**study.vary, **{key: (value,) for key, value in zip(others, chosen, strict=True)}}
        yield Combination(fixed, study.model_copy(update={"vary": alone}))


def with_runs(
    study: Study,
    rows: Sequence[tuple[Mapping[str, Any], int, int]],
    *,
    name: str | None = None,
    fixed: Mapping[str, Any] | None = None,
) -> Study:
    """Return a study whose runs are named one by one.

    Args:
        study: what all else is taken from.
        rows: what is varied besides, the train size and the seed of each run; the same keys in each.
        name: a name of its own.
        fixed: values under `fixed` that are others.

    """
    others = list(rows[0][0])
    tree = study.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude={"scales"})
    tree["fixed"] = {key: value for key, value in tree["fixed"].items() if key not in OWN} | dict(fixed or {})
    key = ", ".join([*others, *OWN])
    tree["vary"] = {key: [[*values.values(), size, seed] for values, size, seed in rows]}
    tree["name"] = name or study.name
    return parse_study(YamlSource.of(tree, tree["name"]))
