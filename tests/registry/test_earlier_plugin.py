"""A plugin written for the first contract is loaded, checked and used as it is."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from normlaw.analysis.extrapolation import interval
from normlaw_registry import Architecture, ComplexityMeasure, Fitter
from normlaw_registry.host.fitting import dict_at, summary_at
from normlaw_registry.testing import check_component
from normlaw_registry.testing.fitter import synthetic_points


@pytest.fixture(scope="module")
def earlier():
    place = Path(__file__).parent / "contract_1" / "earlier_plugin.py"
    spec = importlib.util.spec_from_file_location("earlier_plugin", place)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


COMPONENTS = [
    (Architecture, "earlier_net"),
    (ComplexityMeasure, "earlier_norm"),
    (Fitter, "earlier_line"),
    (Fitter, "earlier_subclass"),
]


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_it_keeps_the_contract_still(earlier, fresh_catalogue, kind, name) -> None:
    catalogue = fresh_catalogue(earlier)
    assert [record.failure for record in catalogue.records] == [None]
    check_component(catalogue.get(kind, name))


@pytest.mark.parametrize("name", ["earlier_line", "earlier_subclass"])
def test_its_results_are_reported(earlier, fresh_catalogue, name) -> None:
    fitter = fresh_catalogue(earlier).get(Fitter, name)
    points = synthetic_points("endpoint_law", 0.6)
    result = fitter.fit(points, fitter.params())
    assert "gamma_meas" in summary_at(result, 0.9)
    low, high = dict_at(result, 0.9)["conf_int"]["gamma_meas"]
    assert low < 0.6 < high or abs(low - 0.6) < 0.01
    assert np.isnan(interval(result, points, 0.95)).all()
