"""Measures of more than one number in a run: abscissas of parts, spectra, and what may be asked of a part."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from normlaw.study.spec import RunSpec
from normlaw.training.abscissas import Spectra
from normlaw.training.evaluation import Inexact, Point
from normlaw.training.loop import train
from normlaw.training.measuring import Measurer
from normlaw.training.observer import Observer
from normlaw.training.run import Run
from normlaw.training.trial import try_out
from normlaw_registry import Catalogue, ComplexityMeasure, MeasuredValue, NormlawError, Task

BASE: dict[str, Any] = {
    "architecture": {"name": "mlp", "params": {"hidden": [8]}},
    "dataset": "digits",
    "train_size": 32,
    "seed": 1,
    "batch_size": 16,
    "steps": 12,
    "measuring_points": 4,
    "optimizer": {"name": "sgd", "learning_rate": 0.3},
    "measures": ["weight_norm", "spectral_norms", "singular_values"],
}


class Told(Observer):
    """Keeps what it is told, in order, and the last layer's singular values as numpy has them."""

    def __init__(self) -> None:
        self.order: list[tuple[str, int]] = []
        self.spectra_told: list[Spectra] = []
        self.expected: list[list[float]] = []
        self.run: Run | None = None

    def spectra(self, step: int, spectra: Spectra) -> None:
        self.order.append(("spectra", step))
        self.spectra_told.append(spectra)
        assert self.run is not None
        matrix = self.run.network.state_dict()["3.weight"].double().numpy()
        self.expected.append(np.linalg.svd(matrix, compute_uv=False).tolist())

    def point(self, point: Point, inexact: Inexact) -> None:
        self.order.append(("point", int(point["step"])))


def spec_of(catalogue: Catalogue, **changes: Any) -> RunSpec:
    return RunSpec.model_validate({**BASE, **changes}).resolved(catalogue)


def test_each_layer_is_an_abscissa_and_spectra_come_before_their_point(
    catalogue: Catalogue, tmp_path: Any
) -> None:
    told = Told()
    run = Run(spec_of(catalogue), catalogue, tmp_path, "cpu", told)
    told.run = run
    for step in (0, 7):
        run.measure(step)
        with torch.no_grad():
            run.network.state_dict()["3.weight"].mul_(2.0)
    assert told.order == [("spectra", 0), ("point", 0), ("spectra", 7), ("point", 7)]
    for spectra, expected in zip(told.spectra_told, told.expected, strict=True):
        assert list(spectra) == ["singular_values.1", "singular_values.3"]
        assert spectra["singular_values.3"] == pytest.approx(expected, rel=1e-12)
    first, second = run.points
    norms = {name.removeprefix("log_norm/") for name in first if name.startswith("log_norm/")}
    assert norms == {"weight_norm", "spectral_norms", "spectral_norms.1", "spectral_norms.3", "singular_values"}
    assert math.exp(first["log_norm/spectral_norms.3"]) == pytest.approx(told.expected[0][0], rel=1e-6)
    moved = {name: second[name] - first[name] for name in first if name.startswith("log_norm/spectral")}
    assert moved["log_norm/spectral_norms.1"] == pytest.approx(0)
    assert moved["log_norm/spectral_norms.3"] == pytest.approx(math.log(2), rel=1e-6)
    assert moved["log_norm/spectral_norms"] == pytest.approx(math.log(2), rel=1e-6)


def test_a_part_can_be_held_and_stopped_at(catalogue: Catalogue) -> None:
    free = train(spec_of(catalogue), catalogue)
    held = train(spec_of(catalogue, intervention={"hold_norm": "spectral_norms.3"}), catalogue)
    norms = [point["log_norm/spectral_norms.3"] for point in held]
    assert norms == pytest.approx([norms[0]] * len(norms), abs=1e-5)
    limit = free[1]["log_norm/spectral_norms.3"]
    assert limit > norms[0] + 1e-3
    stopped = train(spec_of(catalogue, stop={"log_norm": {"spectral_norms.3": limit}}), catalogue)
    assert len(stopped) == 2


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"stop": {"log_norm": {"spectral_norms.2": 3.0}}}, ("stop", "log_norm")),
        (
            {"intervention": {"temperature": 2, "start": {"log_norm": {"spectral_norms.2": 3.0}}}},
            ("intervention", "start"),
        ),
        ({"intervention": {"hold_norm": "spectral_norms.2"}}, ("intervention", "hold_norm")),
    ],
)
def test_a_layer_that_the_network_has_not_is_found_before_training(
    catalogue: Catalogue, tmp_path: Any, changes: dict[str, Any], place: tuple[str, ...]
) -> None:
    spec = spec_of(catalogue, **changes)
    misfit = try_out(spec, spec, catalogue, tmp_path, "cpu")
    assert misfit is not None
    assert misfit.place == place
    assert "'spectral_norms.2'" in misfit.failure.reason
    assert "spectral_norms.3" in misfit.failure.reason


def test_a_measure_that_does_not_say_what_it_gives_ends_the_run() -> None:
    net, task = nn.Linear(2, 3), Task(input_shape=(2,), num_classes=3)
    value = MeasuredValue(log_value=1.0, parts={"a": 1.0})
    silent = ComplexityMeasure(name="silent", summary="Says nothing", measure=lambda params, context: value)
    labels, outputs = torch.zeros(1, dtype=torch.int64), torch.zeros(1, 3)
    with pytest.raises(NormlawError, match="'silent': it gives parts and does not say so"):
        Measurer([(silent, silent.params())], net, None, task).measure(
            net, train_batches=lambda: (), train_labels=labels, train_logits=lambda: outputs
        )
