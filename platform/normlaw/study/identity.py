"""What makes two runs the same one: the canonical form of a specification, whose hash is a run's identity.

The canonical form has what changes the training and where it is measured. Left out are

- values at their defaults, so that a new option, of a run or of a component, changes no identity;
- measures, which say what is looked at and not what is trained; only those stay that `stop.log_norm` and
  `intervention` name, since the training depends on them;
- callbacks that look on. Those that change the training stay, as one does that is not installed, of which
  nothing is known.

Defaults of the run's own options never change: one that has to takes a new schema number. Those of a component
are its author's; `Params.identity_defaults` says what was meant before one was changed, and a run stored under
the same hash with other values is told before anything is trained (see `normlaw.launching.plan`). Stored runs
keep their canonical form beside their specification, so that reading them takes no component that is not
installed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from normlaw_registry import (
    Architecture,
    Callback,
    ComplexityMeasure,
    Component,
    ComponentError,
    Dataset,
    InputError,
    Loss,
    NormlawError,
    Optimizer,
    Schedule,
    load_catalogue,
    validate_params,
)
from normlaw_registry.host.vectors import measure_of

if TYPE_CHECKING:
    from normlaw.study.observed import AnySpec
    from normlaw.study.spec import ComponentChoice, RunSpec

SCHEMA = 2
"""Of specifications, journals and checkpoints. 1: the hash was that of everything written out."""
PLAIN = frozenset({int, float, str, type(None)})
"""Types of the values of a run that are no parts: a single number or word."""
LOOKING_ON = "callback/"
"""Begins the name of a callback among the measures."""
LABELS = frozenset({"arm"})
"""Keys of a run that only say what it is called."""
Measures = Mapping[str, Mapping[str, Any] | None]
"""Measures by name, with their parameters that are not at default; None where nobody noted them."""


class NewerSchemaError(NormlawError):
    """A file was written by a newer version of normlaw; it is left as it is."""


def require_known(schema: int, where: str) -> None:
    """Raise NewerSchemaError where a schema number is above this version's."""
    if schema > SCHEMA:
        raise NewerSchemaError(
            f"{where}: was written by a newer normlaw (schema {schema}; this one knows {SCHEMA}): upgrade "
            "normlaw here; it was left as it is"
        )


def hash_of(tree: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of a tree's JSON, keys in order."""
    return _digest(_json(tree))


def _json(tree: Any) -> str:
    return json.dumps(tree, sort_keys=True, separators=(",", ":"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Hashes:
    """Hashes of many runs that share parts: what is not a single number or word is written out once."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, int, int, int], str | None] = {}
        """A part's canonical form, by its key and id; None where it is left out."""
        self._parts: list[Any] = []
        """Keeps the parts alive, so that no other one gets the id of one of them."""

    def of(self, spec: RunSpec) -> str:
        """Return what `hash_of(canonical(spec))` is."""
        texts = {"schema": str(SCHEMA)}
        for name, field in type(spec).model_fields.items():
            value = getattr(spec, name)
            if name in LABELS:
                continue
            if type(value) in PLAIN:
                if value != field.default:
                    texts[name] = str(value) if type(value) is int else json.dumps(value)
            else:
                # which measures stay depends on `stop`
                key = _key(spec, name)
                if key not in self._texts:
                    self._write_out(spec)
                if (text := self._texts[key]) is not None:
                    texts[name] = text
        return _digest("{" + ",".join([f'"{name}":{texts[name]}' for name in sorted(texts)]) + "}")

    def _write_out(self, spec: RunSpec) -> None:
        tree = canonical(spec)
        for name in type(spec).model_fields:
            value = getattr(spec, name)
            self._parts.append(value)
            self._texts[_key(spec, name)] = _json(tree[name]) if name in tree else None


def _key(spec: RunSpec, name: str) -> tuple[str, int, int, int]:
    """Return what the canonical form of a part depends on: which measures stay is said elsewhere."""
    value = getattr(spec, name)
    if name != "measures":
        return name, id(value), 0, 0
    return name, id(value), id(spec.stop), id(spec.intervention)


def canonical(spec: AnySpec) -> dict[str, Any]:
    """Return what a run is: its schema number, and what is not at default."""
    from normlaw.study.observed import ObservedSpec
    from normlaw.study.spec import BESIDE

    if isinstance(spec, ObservedSpec):
        return {"schema": SCHEMA, **spec.canonical_form}
    components = {"architecture", "dataset", "measures", "callbacks", *LABELS, *BESIDE}
    tree = spec.model_dump(mode="json", exclude_defaults=True, exclude=components)
    tree |= {option: said for option in BESIDE if (said := _beside(spec, option))}
    if (trainer := tree.pop("trainer", None)) is not None:
        tree["optimizer"] = trainer  # as it was called when the first such run was trained
    needed = {measure_of(name) for name in (*spec.stop.log_norm, *spec.intervention.measures)}
    stops = {name: params for name, params in measured_by(spec).items() if name in needed}
    changing = [_choice(Callback, choice) for choice in spec.callbacks if changes_training(choice)]
    return {
        "schema": SCHEMA,
        **tree,
        "architecture": _choice(Architecture, spec.architecture),
        "dataset": _choice(Dataset, spec.dataset),
        **({"measures": stops} if stops else {}),
        **({"callbacks": changing} if changing else {}),
    }


def as_first_called(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return a flattened specification with its keys as the canonical form has them."""
    if tree.get("trainer.name", "descent") == "descent":
        return dict(tree)
    kept = {key: value for key, value in tree.items() if not key.startswith("optimizer.")}
    return {key.replace("trainer.", "optimizer.", 1): value for key, value in kept.items()}


def of_a_component(key: str) -> bool:
    """Return whether a flattened key is a component's own, whose defaults are known where it is installed.

    >>> [of_a_component(key) for key in ("architecture.params.width", "optimizer.momentum", "optimizer.name")]
    [True, True, False]
    """
    from normlaw.study.spec import BESIDE, RunSpec

    option, _, rest = key.partition(".")
    if option not in BESIDE or not rest:
        return ".params." in key
    return rest not in type(RunSpec.model_fields[option].default).model_fields


def measured_by(spec: AnySpec) -> dict[str, Mapping[str, Any]]:
    """Return what a run measures: the parameters that are not at default by name.

    The names are those of its measures and, after `callback/`, of its callbacks that look on.
    """
    from normlaw.study.spec import RunSpec

    found = {m.name: _choice(ComplexityMeasure, m)["params"] for m in spec.measures}
    for choice in spec.callbacks if isinstance(spec, RunSpec) else ():
        if not changes_training(choice):
            found[f"{LOOKING_ON}{choice.name}"] = _choice(Callback, choice)["params"]
    return found


def changes_training(choice: ComponentChoice) -> bool:
    """Return whether a callback is part of what a run is: it says so, or is not installed."""
    try:
        return load_catalogue().get(Callback, choice.name).changes_training
    except ComponentError:
        return True


def lacking(wanted: Measures, there: Measures) -> list[str]:
    """Return the names of the measures that are not there, or there with other parameters.

    >>> lacking({"a": {}, "b": {"p": 1}}, {"a": None, "b": {}})
    ['b']
    """
    return [
        name
        for name, params in wanted.items()
        if name not in there or (None not in (params, there[name]) and params != there[name])
    ]


def _choice(kind: type[Component], choice: ComponentChoice) -> dict[str, Any]:
    try:
        choice = choice.resolved(kind, load_catalogue())
    except InputError:  # not installed: nothing is known of its defaults
        return {"name": choice.name, "params": choice.params}
    return {"name": choice.name, "params": _not_at_default(kind.kind, choice.name, json.dumps(choice.params))}


def _beside(spec: RunSpec, option: str) -> dict[str, Any] | str | None:
    """Return what is not at default of what stands with its parameters beside it; None where all is."""
    choice = getattr(spec, option)
    own = choice.model_dump(mode="json", exclude_defaults=True, exclude={"params"})
    try:
        choice.resolved(load_catalogue())
    except InputError:  # not installed: nothing is known of its defaults
        params = choice.params
    else:
        params = _not_at_default(choice.kind.kind, choice.name, json.dumps(choice.params))
    if option == "loss" and "name" in own:
        own["name"] = FIRST_NAMES.get(own["name"], own["name"])
        if not params:
            return str(own["name"])
    return {**own, **params} or None


FIRST_NAMES = {"squared": "mse"}
"""What losses were called when the first runs with them were trained: runs are told apart by it."""
_KINDS: dict[str, type[Component]] = {
    kind.kind: kind for kind in (Architecture, Dataset, ComplexityMeasure, Callback, Loss, Optimizer, Schedule)
}


@cache
def _not_at_default(kind: str, name: str, params: str) -> dict[str, Any]:
    model = validate_params(load_catalogue().get(_KINDS[kind], name), json.loads(params))
    full = model.model_dump(mode="json")
    short: dict[str, Any] = model.model_dump(mode="json", exclude_defaults=True)
    for key, former in type(model).identity_defaults.items():
        short.pop(key, None)
        if full[key] != json.loads(json.dumps(former)):
            short[key] = full[key]
    return short
