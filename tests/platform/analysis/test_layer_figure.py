"""The figure of layers draws what the table holds."""

from __future__ import annotations

import numpy as np
import pytest

from normlaw.analysis.figures.layer_norms import layer_norms

ROWS = [
    {"step": step, "measure": measure, "layer": layer, "depth": depth, "operator_norm": norm * step, **more}
    for step in (1, 100)
    for measure, more in (("spectral_complexity", {"group_norm_2_1": 5.0}), ("spectral_norm_product", {}))
    for depth, (layer, norm) in enumerate([("stem", 2.0), ("block.conv", 0.5), ("fc", 1.0)])
]


def test_a_panel_a_quantity_and_a_line_a_point() -> None:
    figure = layer_norms(ROWS, "spectral_complexity")
    left, right = figure.axes
    assert [line.get_label() for line in left.lines] == ["1", "100"]
    assert np.asarray(left.lines[1].get_xdata()).tolist() == [200.0, 50.0, 100.0]
    assert np.asarray(left.lines[1].get_ydata()).tolist() == [0, 1, 2]
    assert [label.get_text() for label in left.get_yticklabels()] == ["stem", "block.conv", "fc"]
    assert left.yaxis_inverted()
    assert right.get_xlabel() == "(2,1) norm"
    assert len(layer_norms(ROWS, "spectral_norm_product").axes) == 1


def test_a_measure_without_layers() -> None:
    for rows in (ROWS, []):
        with pytest.raises(ValueError, match="no layers of measure 'path_norm'"):
            layer_norms(rows, "path_norm")
