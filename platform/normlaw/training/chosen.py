"""Which callbacks a run has: those that it names, and those of its measures."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw.study.spec import RunSpec
from normlaw_registry import (
    Callback,
    Catalogue,
    ComplexityMeasure,
    InputError,
    NormlawError,
    Params,
    validate_params,
)

Chosen = tuple[Callback, Params]
"""A callback with its parameters."""


def chosen_callbacks(spec: RunSpec, catalogue: Catalogue) -> list[Chosen]:
    """Return a run's callbacks, each once: those that change the training first, else in the order written.

    Raises:
        InputError: one is asked for with several parameters, or the run takes no optimiser steps.

    """
    found: dict[str, Chosen] = {}
    for callback, params in _asked_for(spec, catalogue):
        if spec.follows_norm:
            raise InputError(
                f"callback {callback.name!r} follows an optimiser's steps, and {spec.trainer.name} takes none"
            )
        before = found.setdefault(callback.name, (callback, params))
        if before[0] is not callback or before[1] != params:
            raise InputError(
                f"callback {callback.name!r} is asked for with several parameters in one run: give it the same "
                "ones in `callbacks` and in all `measures` that it serves"
            )
    return sorted(found.values(), key=lambda chosen: not chosen[0].changes_training)


def _asked_for(spec: RunSpec, catalogue: Catalogue) -> Iterable[Chosen]:
    for choice in spec.callbacks:
        callback = catalogue.get(Callback, choice.name)
        yield callback, validate_params(callback, choice.params)
    for choice in spec.measures:
        measure = catalogue.get(ComplexityMeasure, choice.name)
        if measure.callback is not None:
            yield measure.callback, validate_params(measure, choice.params)


def followed_steps(spec: RunSpec, catalogue: Catalogue) -> list[str]:
    """Return the names of the callbacks that follow a run; empty where none does, or one is not installed."""
    try:
        return [callback.name for callback, _ in chosen_callbacks(spec, catalogue)]
    except NormlawError:
        return []
