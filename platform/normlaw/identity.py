"""What makes two runs the same one: the canonical form of a specification, whose hash is a run's identity.

The canonical form has what changes the training and where it is measured. Left out are

- values at their defaults, so that a new option, of a run or of a component, changes no identity;
- measures, which say what is looked at and not what is trained; only those stay that `stop.log_norm` names,
  since they may end the run.

Defaults of the run's own options never change: one that has to takes a new schema number. Those of a component
are its author's; `Params.identity_defaults` says what was meant before one was changed, and a run stored under
the same hash with other values is told before anything is trained (see `normlaw.plan`). Stored runs keep their
canonical form beside their specification, so that reading them takes no component that is not installed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from normlaw_registry import (
    Architecture,
    ComplexityMeasure,
    Component,
    Dataset,
    InputError,
    NormlawError,
    load_catalogue,
    validate_params,
)

if TYPE_CHECKING:
    from normlaw.spec import ComponentChoice, RunSpec

SCHEMA = 2
"""Of specifications, journals and checkpoints. 1: the hash was that of everything written out."""
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
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def canonical(spec: RunSpec) -> dict[str, Any]:
    """Return what a run is: its schema number, and what is not at default."""
    components = {"architecture", "dataset", "measures"}
    tree = spec.model_dump(mode="json", exclude_defaults=True, exclude=components)
    stops = {name: params for name, params in measured_by(spec).items() if name in spec.stop.log_norm}
    return {
        "schema": SCHEMA,
        **tree,
        "architecture": _choice(Architecture, spec.architecture),
        "dataset": _choice(Dataset, spec.dataset),
        **({"measures": stops} if stops else {}),
    }


def measured_by(spec: RunSpec) -> dict[str, Mapping[str, Any]]:
    """Return what a run measures: each measure's parameters that are not at default, by its name."""
    return {m.name: _choice(ComplexityMeasure, m)["params"] for m in spec.measures}


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


_KINDS: dict[str, type[Component]] = {kind.kind: kind for kind in (Architecture, Dataset, ComplexityMeasure)}


@cache
def _not_at_default(kind: str, name: str, params: str) -> dict[str, Any]:
    model = validate_params(load_catalogue().get(_KINDS[kind], name), json.loads(params))
    full = model.model_dump(mode="json")
    short = model.model_dump(mode="json", exclude_defaults=True)
    for key, former in type(model).identity_defaults.items():
        short.pop(key, None)
        if full[key] != json.loads(json.dumps(former)):
            short[key] = full[key]
    return short
