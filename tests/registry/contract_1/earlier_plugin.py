"""A plugin as it was written for normlaw 0.1: kept as it is, for what it relies on must go on to work."""

from dataclasses import dataclass
from math import log, prod
from typing import Any

from normlaw_registry import (
    CONTRACT_VERSION,
    LAW_EXPONENT,
    Architecture,
    Catalogue,
    ComplexityMeasure,
    FitResult,
    Fitter,
    InputError,
    LayerRule,
    LinearMap,
    MapKind,
    MeasuredValue,
    MeasurementContext,
    NormlawError,
    Params,
    hookimpl,
    load_catalogue,
    validate_params,
)
from normlaw_registry.architecture import LinearMap as SameMap
from normlaw_registry.component import Component
from normlaw_registry.fitter import FitResult as SameResult

assert CONTRACT_VERSION >= 1
assert SameMap is LinearMap
assert SameResult is FitResult
assert all((Catalogue, Component, LayerRule, MapKind, NormlawError, load_catalogue, validate_params))


class Width(Params):
    width: int = 4


def build(params: Width, task: Any) -> Any:
    from torch import nn

    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Linear(params.width, params.width, bias=False)

        def forward(self, x: Any) -> Any:
            return self.scale(x)

    inputs = prod(task.input_shape)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(inputs, params.width), Scale(), nn.Linear(params.width, task.num_outputs)
    )


def rules() -> dict[Any, LayerRule]:
    from torch import nn

    def rule(layer: Any, name: str, shape: tuple[int, ...]) -> list[LinearMap]:
        return [LinearMap(name=name, kind="dense", weight=layer.weight.detach(), positions=prod(shape[:-1]))]

    return {nn.Linear: rule}


def measure(params: Params, context: MeasurementContext) -> MeasuredValue:
    largest = max(context.operator_norm(m).log_value for m in context.linear_maps)
    moved = sum(context.moved_entry_norms(m).frobenius for m in context.linear_maps)
    layers = {m.name: {"kernel": context.kernel_norm(m).log_value} for m in context.linear_maps}
    return MeasuredValue(log_value=largest + log(1 + moved), exactness="upper_bound", layers=layers)


@dataclass
class Line:
    """A result that is no subclass of anything."""

    points: Any

    def __post_init__(self) -> None:
        import statsmodels.api as sm

        self.results = sm.OLS(self.points["log_error"], self.design(self.points)).fit()
        self.params, self.bse, self.nobs = self.results.params, self.results.bse, len(self.points)

    def design(self, points: Any) -> Any:
        import numpy as np
        import pandas as pd

        return pd.DataFrame({LAW_EXPONENT["endpoint_law"]: -np.log(points["train_size"]), "log_k": 1.0})

    def conf_int(self, alpha: float = 0.05) -> Any:
        return self.results.conf_int(alpha)

    def predict(self, points: Any) -> Any:
        return self.results.predict(self.design(points)).to_numpy()

    def summary(self) -> str:
        return str(self.results.summary())

    def to_dict(self) -> dict[str, Any]:
        return {"params": self.params.to_dict(), "nobs": self.nobs}


class Derived(FitResult):
    """A subclass of the protocol that FitResult was, which had to define all its members."""

    def __init__(self, line: Line) -> None:
        self.line = line

    @property
    def params(self) -> Any:
        return self.line.params

    @property
    def bse(self) -> Any:
        return self.line.bse

    @property
    def nobs(self) -> int:
        return self.line.nobs

    def conf_int(self, alpha: float = 0.05) -> Any:
        return self.line.conf_int(alpha)

    def predict(self, points: Any) -> Any:
        return self.line.predict(points)

    def summary(self) -> str:
        return self.line.summary()

    def to_dict(self) -> dict[str, Any]:
        return self.line.to_dict()


def fit(points: Any, params: Params) -> Line:
    if len(points) < 3:
        raise InputError("three points")
    return Line(points)


@hookimpl
def normlaw_architectures() -> Any:
    yield Architecture(name="earlier_net", summary="Net", params=Width, build=build, layer_rules=rules)


@hookimpl
def normlaw_complexity_measures() -> Any:
    yield ComplexityMeasure(
        name="earlier_norm", summary="Norm", measure=measure, needs_initial=lambda params: True
    )


@hookimpl
def normlaw_fitters() -> Any:
    yield Fitter(name="earlier_line", summary="Line", law="endpoint_law", fit=fit)
    yield Fitter(
        name="earlier_subclass",
        summary="Line",
        law="endpoint_law",
        fit=lambda points, p: Derived(fit(points, p)),
    )
