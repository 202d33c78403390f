"""The table of layers has one row a measure and layer, in forward order."""

from __future__ import annotations

from normlaw.training.layer_table import layer_rows
from normlaw_registry import MeasuredValue


def test_rows() -> None:
    layers = {"conv": {"operator_norm": 2.0, "group_norm_2_1": 3.0}, "fc": {"operator_norm": 1.5}}
    values = {
        "spectral_complexity": MeasuredValue(log_value=0.0, layers=layers),
        "fisher_rao_norm": MeasuredValue(log_value=1.0),
    }
    assert layer_rows(values, 79) == [
        {
            "step": 79,
            "measure": "spectral_complexity",
            "layer": "conv",
            "depth": 0,
            "operator_norm": 2.0,
            "group_norm_2_1": 3.0,
        },
        {"step": 79, "measure": "spectral_complexity", "layer": "fc", "depth": 1, "operator_norm": 1.5},
    ]
