"""What MLflow lists of a run as parameters, and which runs are one and the same by it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from normlaw.base.redaction import redacted
from normlaw.study.identity import changes_training
from normlaw.study.run_options import FORMER_LOSSES
from normlaw.study.trainer import PATHS, Trainer
from normlaw_registry import (
    Architecture,
    Component,
    ComponentError,
    Dataset,
    Loss,
    Optimizer,
    Schedule,
    load_catalogue,
)

if TYPE_CHECKING:
    from normlaw.study.observed import AnySpec
    from normlaw.study.spec import RunSpec

MAX_PARAM_LENGTH = 6000
"""Characters of a parameter's value that MLflow takes."""
OPTIONS = (
    "trainer",
    "learning_rate_schedule",
    "augmentation",
    "label_noise",
    "sampling",
    "stop",
    "compute",
    "callbacks",
    "intervention",
    "arm",
)
"""What MLflow does not list of a run whose option is off."""
MEASURES = "measures"
"""The parameter that says what was measured: no part of what a run is."""
CALLBACKS = "callbacks"
"""The parameter that names what follows a run; what changes its training is listed besides."""
LOOKED_AT = (MEASURES, CALLBACKS)
UNLIKE = (*LOOKED_AT, "arm")
"""Parameters in which runs that were trained alike may differ."""
TRAINER = "trainer"
"""The parameter that says whose loop trained a run, where it was not normlaw's."""
COMPONENTS: dict[str, type[Component]] = {"architecture": Architecture, "dataset": Dataset}

NAMED_BY = {
    "loss": "loss",
    "optimizer": "optimizer.name",
    "learning_rate_schedule": "learning_rate_schedule.name",
}
"""Components whose parameters stand beside their names: the parameter that lists the name."""
KINDS: dict[str, type[Component]] = {
    **COMPONENTS,
    "loss": Loss,
    "optimizer": Optimizer,
    "learning_rate_schedule": Schedule,
}
FORMER_DEFAULTS = {
    "optimizer.momentum": "0.0",
    "optimizer.tolerance": "1e-05",
    "learning_rate_schedule.final_factor": "0.0",
    "learning_rate_schedule.milestones": "[]",
    "learning_rate_schedule.factor": "0.1",
}
"""What earlier versions listed of runs that have no such parameter."""


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one: {"optimizer": {"name": "adam"}} gives {"optimizer.name": "adam"}."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def searchable(spec: AnySpec) -> dict[str, Any]:
    """Return a run's parameters as MLflow should list them: `architecture` is the name itself.

    The measures are listed by name, since their parameters stand in the run's specification. An option that
    is off is not listed. Of an observed run, what was said of it is listed as it was said.
    """
    from normlaw.study.observed import ObservedSpec

    if isinstance(spec, ObservedSpec):
        names = ",".join(measure.name for measure in spec.measures)
        known = {TRAINER: spec.trainer, "train_size": spec.train_size, "seed": spec.seed, MEASURES: names}
        return {**known, **flatten(spec.about)}
    tree = spec.model_dump(mode="json", exclude_none=True)
    for option in OPTIONS:
        if getattr(spec, option) == type(spec).model_fields[option].default:
            tree.pop(option, None)
    for kind in COMPONENTS:
        choice = tree.pop(kind)
        tree[kind] = choice["name"]
        tree.update({f"{kind}.{key}": value for key, value in flatten(choice["params"]).items()})
    tree[MEASURES] = ",".join(measure["name"] for measure in tree[MEASURES])
    if spec.follows_norm:
        del tree["optimizer"]
    tree["loss"], more = tree["loss"].pop("name"), tree["loss"]
    tree |= {f"loss.{key}": value for key, value in more.items()}
    if CALLBACKS in tree:
        tree.update(_changing(spec))
        tree[CALLBACKS] = ",".join(choice["name"] for choice in tree[CALLBACKS])
    return flatten(tree)


def _changing(spec: RunSpec) -> dict[str, Any]:
    """Return the callbacks that change a run's training, each with its parameters."""
    found: dict[str, Any] = {}
    for choice in filter(changes_training, spec.callbacks):
        place = f"{CALLBACKS}.{choice.name}"
        found[place] = "changes the training"
        found.update({f"{place}.{key}": value for key, value in flatten(choice.params).items()})
    return found


def as_text(value: object) -> str:
    """Return a parameter's value as MLflow stores it."""
    return redacted(str(value))[:MAX_PARAM_LENGTH]


def listing(spec: AnySpec) -> dict[str, str]:
    """Return a run's parameters as MLflow stores them."""
    return {name: as_text(value) for name, value in searchable(spec).items()}


def unlisted(params: Mapping[str, str]) -> dict[str, str]:
    """Return what it means, by the parameter's name, that MLflow does not list it of a run: its default.

    Args:
        params: what is listed of the run; components that are not installed have no defaults, and nothing
            is known of what another loop's author did not say.

    """
    if TRAINER in params:
        return {}
    params = named_now(params)
    found = {**FORMER_DEFAULTS, **_of_a_run()}
    for kind in COMPONENTS:
        found |= _of(kind, params.get(kind, ""))
    for option, key in NAMED_BY.items():
        found |= _of(option, params.get(key, found[key]))
    return found


def named_now(params: Mapping[str, str]) -> dict[str, str]:
    """Return a run's listed parameters by the names that this version has for them."""
    found = dict(params)
    if (loss := found.get("loss")) in FORMER_LOSSES:
        found["loss"] = FORMER_LOSSES[loss]
    if found.get("optimizer.name") in PATHS:
        for key in [key for key in found if key.startswith("optimizer.")]:
            value = found.pop(key)
            if key.removeprefix("optimizer.") in Trainer.model_fields:
                found[key.replace("optimizer.", "trainer.")] = value
    return found


def settled(params: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """Return what is left of a run's listed parameters without measures and defaults.

    Runs of one version or another, trained alike, have it in common: whether a default is listed differs from
    version to version, and what was measured changes no training.
    """
    params = named_now(params)
    defaults = unlisted(params)
    return frozenset(
        (name, value)
        for name, value in params.items()
        if name not in UNLIKE and (name in COMPONENTS or defaults.get(name) != value)
    )


def contradiction(stored: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """Return the first parameter that two listings give different values, what is looked at aside."""
    stored = named_now(stored)
    both = sorted(stored.keys() & now.keys() - set(UNLIKE))
    return next((key for key in both if stored[key] != now[key]), None)


@cache
def _of_a_run() -> dict[str, str]:
    from normlaw.study.spec import RunSpec

    found = _defaults(RunSpec)
    return {"loss": found.pop("loss.name"), **found, CALLBACKS: ""}


@cache
def _of(key: str, name: str) -> dict[str, str]:
    """Return the defaults of a component's parameters, as they are listed below a key of a run."""
    try:
        defaults = _defaults(load_catalogue().get(KINDS[key], name).params)
    except ComponentError:
        return {}
    return {f"{key}.{parameter}": value for parameter, value in defaults.items()}


def _defaults(model: type[BaseModel]) -> dict[str, str]:
    """Return a model's defaults, flattened, as MLflow stores them; what must be given has none."""
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in model.model_fields.items()
        if not field.is_required()
    }
    adapted = model.model_construct(set(defaults), **defaults)
    tree = adapted.model_dump(mode="json", exclude_none=True, include=set(defaults), warnings=False)
    for name, value in defaults.items():  # a serialiser may leave one out that is at default
        if isinstance(value, BaseModel):
            tree.setdefault(name, value.model_dump(mode="json", exclude_none=True))
        elif value is not None:
            tree.setdefault(name, value)
    return {name: as_text(value) for name, value in flatten(tree).items()}
