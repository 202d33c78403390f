"""The runs of a study share most of their parts: each part is checked and resolved once, not once a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from normlaw.study.beside import BesideName
from normlaw.study.identity import PLAIN
from normlaw.study.layers import opened_at
from normlaw.study.listed import COMPONENTS
from normlaw.study.spec import BESIDE, ComponentChoice, RunSpec
from normlaw.study.storable import unstorable
from normlaw.study.together import keys_of, part_of
from normlaw.study.trainer import Trainer
from normlaw_registry import (
    Callback,
    Catalogue,
    ComplexityMeasure,
    Component,
    InputError,
    NormlawError,
)

if TYPE_CHECKING:
    from normlaw.study.study import Study

Choice = tuple[int, ...]
"""For each varied key, in the study's order, the number of its value in the list."""


SEVERAL: Mapping[str, type[Component]] = {"measures": ComplexityMeasure, "callbacks": Callback}
"""Keys of a run that hold a list of components."""


class SharedParts:
    """Makes the runs of a study, given which value each varied key takes.

    A part is what stands under one key of a run. It is put together once for each choice of the keys varied
    at or below it.

    Args:
        study: whose runs.
        catalogue: where components are found.

    """

    def __init__(self, study: Study, catalogue: Catalogue) -> None:
        self._study, self._catalogue = study, catalogue
        self._varied = list(study.vary)
        below: dict[str, list[int]] = {key: [] for key in study.fixed}
        for number, varied in enumerate(self._varied):
            for key in dict.fromkeys(dotted.partition(".")[0] for dotted in keys_of(varied)):
                below.setdefault(key, []).append(number)
        self._below = {key: tuple(numbers) for key, numbers in below.items()}
        self._written: dict[tuple[str, Choice], Any] = {}
        self._checked: dict[tuple[str, Choice], Any] = {}
        self._defaults: dict[str, Any] = {}
        self._storable: dict[int, Any] = {}
        """Parts of runs that can be stored, by their ids; here they stay alive."""

    def written(self, choice: Choice) -> dict[str, Any]:
        """Return a run as the study writes it.

        Raises:
            InputError: a varied key stands under `fixed` too, or below something that has no keys.

        """
        return {
            key: self._part(key, tuple([choice[n] for n in numbers])) for key, numbers in self._below.items()
        }

    def spec(self, choice: Choice) -> RunSpec | None:
        """Return a run, every parameter written out; None where something is wrong with it."""
        tree = {}
        for key, numbers in self._below.items():
            at = key, tuple([choice[number] for number in numbers])
            if at not in self._checked:
                try:
                    self._checked[at] = self._check(key, self._part(*at))
                except (ValidationError, NormlawError):
                    return None
            tree[key] = self._checked[at]
        trainer = tree.get("trainer")
        if not (isinstance(trainer, Trainer) and trainer.follows_norm):  # which has none of them
            for option in BESIDE:
                if option not in tree:
                    tree[option] = self._default(option)
        try:
            spec = RunSpec.model_validate(tree)
        except ValidationError:
            return None
        for key, value in vars(spec).items():  # pydantic has made new tuples and new defaults of them
            if type(value) not in PLAIN:
                vars(spec)[key] = tree[key] if key in tree else self._defaults.setdefault(key, value)
        return spec

    def unstorable(self, spec: RunSpec) -> str | None:
        """Return what of a run MLflow would refuse; see `storable.unstorable`, which takes parts one by one."""
        parts = [part for part in vars(spec).values() if type(part) not in PLAIN]
        if all(id(part) in self._storable for part in parts):
            return None
        reason = unstorable(spec)
        if reason is None:
            self._storable.update((id(part), part) for part in parts)
        return reason

    def _part(self, key: str, values: Choice) -> Any:
        at = key, values
        if at not in self._written:
            tree = {key: _copied(self._study.fixed[key])} if key in self._study.fixed else {}
            for number, value in zip(self._below[key], values, strict=True):
                varied = self._varied[number]
                for at_number, dotted in enumerate(keys_of(varied)):
                    if dotted.partition(".")[0] == key:
                        chosen = part_of(varied, self._study.vary[varied][value], at_number)
                        _put(tree, dotted, chosen, partial(self._study.source.where, ["vary", varied]))
            self._written[at] = tree[key]
        return self._written[at]

    def _default(self, option: str) -> Any:
        if option not in self._defaults:
            self._defaults[option] = RunSpec.model_fields[option].default.resolved(self._catalogue)
        return self._defaults[option]

    def _check(self, key: str, part: Any) -> Any:
        if key in SEVERAL and isinstance(part, list | tuple):
            choices = map(ComponentChoice.model_validate, part)
            return tuple([choice.resolved(SEVERAL[key], self._catalogue) for choice in choices])
        field = RunSpec.model_fields.get(key)
        model: Any = field.annotation if field is not None else None
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return part
        checked = model.model_validate(part)
        if isinstance(checked, ComponentChoice):
            return checked.resolved(COMPONENTS[key], self._catalogue)
        if isinstance(checked, BesideName):
            return checked.resolved(self._catalogue)
        return checked


def _copied(tree: Any) -> Any:
    return {key: _copied(value) for key, value in tree.items()} if isinstance(tree, Mapping) else tree


def _put(tree: dict[str, Any], dotted: str, value: Any, where: Callable[[], str]) -> None:
    *parents, last = dotted.split(".")

    def refused(parent: str) -> str:
        return f"{where()}: `{parent}` under `fixed` has no keys below it"

    tree = opened_at(tree, parents, refused)
    if last in tree:
        raise InputError(f"{where()}: stands under `fixed` too; keep one of the two")
    tree[last] = value
