"""The figure of singular values draws both ends of a run, a panel a layer."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast
from unittest.mock import Mock

import pandas as pd
import pytest

from normlaw.analysis.figures.singular_values import singular_values
from normlaw.tracking.store import StudyStore
from normlaw.tracking.study_run import StudyRun
from normlaw.verbs._analysis_run import layers_of, spectra_of

SPECTRA: Mapping[str, list[float]] = {"fc": [3.0, 2.0, 0.0], "0": [5.0, 1.0, 0.5]}


def table() -> pd.DataFrame:
    rows = [
        {"step": step, "layer": layer, "number": number, "value": value * (1 + step)}
        for layer, values in SPECTRA.items()
        for step in (0, 4, 9)
        for number, value in enumerate(values, 1)
    ]
    return pd.DataFrame(rows)


def test_both_ends_of_the_run_are_drawn_layer_by_layer() -> None:
    figure = singular_values(table())
    assert len(figure.axes) == 2
    numbers = figure.numbers()
    assert set(numbers["step"]) == {0, 9}
    last = numbers[(numbers["step"] == 9) & (numbers["series"] == "fc")]
    assert last["value"].tolist() == [30.0, 20.0, 0.0]
    with pytest.raises(ValueError, match="no singular values"):
        singular_values(table().head(0))


def test_they_are_those_of_the_first_run_of_the_largest_train_size() -> None:
    runs = [
        SimpleNamespace(kind="training", train_size=size, name=name, measures={"weight_norm": {}, "values": {}})
        for size, name in ((10, "small"), (20, "large"), (20, "second"))
    ]
    store = Mock()
    told = table().assign(measure="values")
    store.spectra.side_effect = lambda run: told if run.name == "large" else told.head(0)
    store.layers.side_effect = lambda run: [{"measure": "values", "layer": "fc"}, {"measure": "other"}]
    given = cast("list[StudyRun]", runs)
    found = spectra_of(cast("StudyStore", store), given)
    assert list(found) == ["values"]
    pd.testing.assert_frame_equal(found["values"], told)
    assert layers_of(cast("StudyStore", store), given, "values.fc") == [{"measure": "values", "layer": "fc"}]
