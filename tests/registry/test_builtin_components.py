"""Every component that normlaw ships keeps the contract that it asks of others."""

from math import exp
from typing import Any

import numpy as np
import pytest

from normlaw_plugins.datasets import mnist
from normlaw_registry import Component, Dataset, InputError, LoadContext, load_catalogue
from normlaw_registry.testing import check_component
from normlaw_registry.testing.fitter import synthetic_points
from normlaw_tests.built_in import PLUGINS

COMPONENTS = [
    component
    for record in load_catalogue().records
    if record.distribution == "normlaw"
    for component in record.components
]


def test_the_built_ins_load() -> None:
    built_in = [record for record in load_catalogue().records if record.distribution == "normlaw"]
    assert {record.name: record.failure for record in built_in} == dict.fromkeys(PLUGINS)


SLOW = ("envelope", "endpoint_broken_power_law", "resnet")
"""Components whose battery takes more than two seconds."""


@pytest.mark.parametrize(
    "component",
    [pytest.param(c, marks=pytest.mark.slow if c.name in SLOW else ()) for c in COMPONENTS],
    ids=lambda component: f"{component.kind}-{component.name}",
)
@pytest.mark.slow
def test_a_built_in_keeps_the_contract(component: Component, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(mnist, "DEBIAN_FASHION", tmp_path / "no system files")  # as if they were nowhere
    if any(field.is_required() for field in component.params.model_fields.values()):
        pytest.skip("needs parameters of its own: its own test runs the battery with them")
    if isinstance(component, Dataset) and (refusal := missing_files(component, tmp_path)):
        # Its files are downloaded by users; its own test brings small ones.
        assert str(tmp_path) in refusal
        return
    check_component(component, **own_choices(component))


def missing_files(dataset: Dataset, folder) -> str | None:
    """Return how the data set refuses an empty folder, or None when it needs no files."""
    try:
        dataset.load(dataset.params(), LoadContext(seed=0, train_size=8, data_dir=folder))
    except InputError as error:
        return str(error)
    return None


def own_choices(component: Component) -> dict[str, Any]:
    """Return what a component needs that cannot be checked by its defaults: a window chosen by hand, or points
    of a law that is no power law at any parameters."""
    if (component.kind, component.name) == ("protocol", "released"):
        return {"params": component.params.model_validate({"window": [0.01, 0.3]})}
    if component.name != "endpoint_exponential":
        return {}
    floor, start, tau = 0.05, 0.6, 1500.0
    points = synthetic_points("endpoint_law", exponent=0.0)  # ln eps = 0.5 + noise
    sizes = points["train_size"].astype("float64")
    decay = (start - floor) * np.exp(-sizes / tau)
    points["log_error"] += np.log(floor + decay) - 0.5
    largest = float(sizes.max())
    left = (start - floor) * exp(-largest / tau)
    # -d ln eps / d ln P at the largest P
    return {"points": points, "exponent": largest / tau * left / (floor + left)}
