"""A plugin whose functions take the parameters that its components declare, and one in which they do not."""

from __future__ import annotations

RIGHT = """
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
_CHANGES = {
    '"A", params=Width': '"A", params=Power',
    "lambda p: p.power": "lambda p: p.width",
    '"D", params=Width': '"D", params=Power',
    "def fit(points: pd.DataFrame, params: Power)": "def fit(params: Power, points: pd.DataFrame)",
}


def wrong() -> str:
    """Return the plugin with an error in each of four components."""
    code = RIGHT
    for right, changed in _CHANGES.items():
        assert right in code
        code = code.replace(right, changed)
    return code
