"""Solvable models."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_plugins.theories.diagonal_network import DIAGONAL_NETWORK
from normlaw_plugins.theories.perceptron import PERCEPTRON
from normlaw_plugins.theories.random_features import RANDOM_FEATURES
from normlaw_plugins.theories.two_layer import TWO_LAYER
from normlaw_registry import Theory, hookimpl


@hookimpl
def normlaw_theories() -> Iterable[Theory]:
    """Return the built-in theories."""
    return (DIAGONAL_NETWORK, PERCEPTRON, RANDOM_FEATURES, TWO_LAYER)
