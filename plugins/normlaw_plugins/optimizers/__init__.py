"""Optimisers."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_plugins.optimizers.adam import ADAM, ADAMW
from normlaw_plugins.optimizers.muon import MUON
from normlaw_plugins.optimizers.sgd import SGD
from normlaw_plugins.optimizers.sign_descent import SIGN_DESCENT
from normlaw_registry import Optimizer, hookimpl


@hookimpl
def normlaw_optimizers() -> Iterable[Optimizer]:
    """Return the built-in optimisers."""
    return (ADAM, ADAMW, MUON, SGD, SIGN_DESCENT)
