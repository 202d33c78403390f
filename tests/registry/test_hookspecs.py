"""Every hook is documented by an example that is a working plugin."""

import inspect
import textwrap
import types

import pytest

from normlaw_registry import (
    AnalysisProtocol,
    Architecture,
    Callback,
    ComplexityMeasure,
    Dataset,
    Fitter,
    Loss,
    Optimizer,
    Schedule,
    Theory,
    hookspecs,
)
from normlaw_registry.host.kinds import KINDS
from normlaw_registry.testing import check_component

NAMED = {
    "normlaw_architectures": (Architecture, "linear"),
    "normlaw_datasets": (Dataset, "disc"),
    "normlaw_losses": (Loss, "exponential"),
    "normlaw_optimizers": (Optimizer, "rmsprop"),
    "normlaw_schedules": (Schedule, "inverse_root"),
    "normlaw_complexity_measures": (ComplexityMeasure, "largest_entry"),
    "normlaw_callbacks": (Callback, "largest_step"),
    "normlaw_fitters": (Fitter, "robust"),
    "normlaw_theories": (Theory, "hebb"),
    "normlaw_protocols": (AnalysisProtocol, "plain"),
}


def example_of(hook: str) -> types.ModuleType:
    """Return the example in the hook's docstring as a module of its own."""
    text = inspect.getdoc(getattr(hookspecs, hook))
    assert text is not None
    assert text.count("Example::") == 1
    module = types.ModuleType(f"example_of_{hook}")
    exec(compile(textwrap.dedent(text.split("Example::")[1]), f"<{hook}>", "exec"), module.__dict__)
    return module


def test_every_hook_is_named_here_and_has_a_kind_of_component() -> None:
    declared = {name for name in vars(hookspecs) if name.startswith("normlaw_")}
    assert declared == set(NAMED)
    assert {hook: kind for hook, (kind, _) in NAMED.items()} == {kind.hook: kind.component for kind in KINDS}


@pytest.mark.parametrize("hook", NAMED)
def test_the_example_keeps_the_contract(hook, fresh_catalogue) -> None:
    kind, name = NAMED[hook]
    catalogue = fresh_catalogue(example_of(hook))
    assert [record.failure for record in catalogue.records] == [None]
    check_component(catalogue.get(kind, name))
