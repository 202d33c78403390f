"""Fixtures for the tests of plugins; activated by `pytest_plugins` in a plugin's top-level `conftest.py`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from normlaw_registry.host import inspect_plugin
from normlaw_registry.host.catalogue import Catalogue


@pytest.fixture
def fresh_catalogue() -> Callable[..., Catalogue]:
    """Return a function that makes a catalogue of the given plugin modules or objects, and of nothing else.

    What is installed plays no part, and a plugin need not be installed:

        def test_my_norm_is_found(fresh_catalogue):
            catalogue = fresh_catalogue(my_package.normlaw_plugin)
            assert catalogue.names(ComplexityMeasure) == ["my_norm"]

    A broken plugin is kept as a record with its failure, as it is for users.
    """

    def make(*plugins: object) -> Catalogue:
        return Catalogue.of(inspect_plugin(plugin) for plugin in plugins)

    return make
