"""For authors of plugins: run a component against its contract, with or without pytest.

    from normlaw_registry.testing import check_component

    def test_my_norm():
        check_component(MY_NORM)

`measurement_context` makes the argument of a measure for tests of single values, `analysis_context` that of a
protocol; `followed` trains a `short_run` with a callback. The pytest fixture
`fresh_catalogue` lives in `normlaw_registry.testing.fixtures`; a plugin's top-level `conftest.py` activates it
with `pytest_plugins = ["normlaw_registry.testing.fixtures"]`.
"""

from normlaw_registry.testing.battery import check_component
from normlaw_registry.testing.context import measurement_context
from normlaw_registry.testing.followed_run import followed, short_run
from normlaw_registry.testing.protocol import analysis_context

__all__ = ["analysis_context", "check_component", "followed", "measurement_context", "short_run"]
