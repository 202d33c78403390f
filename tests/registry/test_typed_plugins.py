"""A type checker compares what a plugin's functions take with the parameters that its component declares."""

import subprocess
import sys
from pathlib import Path

import pytest

from normlaw_tests.unread import UNREAD

ROOT = Path(__file__).parents[2]

PLUGIN = """
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from normlaw_registry import (
    Architecture, ComplexityMeasure, Dataset, FitResult, Fitter, LoadContext, MeasuredValue, MeasurementContext,
    Params, Splits, Task, hookimpl,
)

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn


class Width(Params):
    width: int = 3


class Power(Params):
    power: float = 1.0


def build(params: Width, task: Task) -> nn.Module:
    from torch import nn

    return nn.Linear(params.width, task.num_outputs)


def measure(params: Power, context: MeasurementContext) -> MeasuredValue:
    return MeasuredValue(log_value=params.power * len(context.linear_maps))


def load(params: Width, context: LoadContext) -> Splits:
    raise NotImplementedError


def fit(points: pd.DataFrame, params: Power) -> FitResult:
    def law(points: pd.DataFrame, values: pd.Series[float]) -> pd.Series[float]:
        return points["train_size"] * values["gamma_meas"]

    return FitResult(dict(gamma_meas=1.0), points.cov(), len(points) - 1.0, law)


NETWORK = Architecture(name="a", summary="A", params=Width, build=build)
NORM = ComplexityMeasure(
    name="m", summary="M", params=Power, measure=measure, needs_initial=lambda p: p.power > 1
)
DATA = Dataset(name="d", summary="D", params=Width, load=load)
LINE = Fitter(name="f", summary="F", law="endpoint_law", params=Power, fit=fit)


@hookimpl
def normlaw_architectures() -> Iterable[Architecture]:
    yield NETWORK
"""


def verdict(folder: Path, code: str) -> str:
    """Return what mypy says of a plugin, in its strict mode and with the settings of a new plugin."""
    (folder / "plugin.py").write_text(code)
    path = [str(ROOT / part) for part in ("registry", "plugins", "platform")]
    (folder / "mypy.ini").write_text(
        f"[mypy]\nstrict = true\nmypy_path = {':'.join(path)}\nplugins = pydantic.mypy\n"
        "follow_imports = silent\n"  # as of installed packages, only what is asked about is told
        f"[mypy-{','.join(UNREAD)}]\nfollow_imports = skip\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--cache-dir", "cache", "plugin.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return a folder whose cache all checks share."""
    return tmp_path_factory.mktemp("typed")


@pytest.mark.slow
def test_a_plugin_with_the_right_parameters_passes(folder) -> None:
    assert "Success" in verdict(folder, PLUGIN)


@pytest.mark.slow
def test_functions_of_other_parameters_than_those_declared_are_found(folder) -> None:
    wrong = PLUGIN
    for right, changed in (
        ('"A", params=Width', '"A", params=Power'),
        ("lambda p: p.power", "lambda p: p.width"),
        ('"D", params=Width', '"D", params=Power'),
        ("def fit(points: pd.DataFrame, params: Power)", "def fit(params: Power, points: pd.DataFrame)"),
    ):
        assert right in wrong
        wrong = wrong.replace(right, changed)
    told = verdict(folder, wrong)
    assert 'Argument "build" to "Architecture" has incompatible type' in told
    assert '"Power" has no attribute "width"' in told
    assert 'Argument "load" to "Dataset" has incompatible type' in told
    assert 'Argument "fit" to "Fitter" has incompatible type' in told
    assert "Found 4 errors" in told
