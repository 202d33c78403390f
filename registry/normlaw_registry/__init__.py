"""The contract between normlaw and its plugins, in two parts.

What an author imports: `hookimpl`, one type a kind of component with what its functions take and give, linear
maps, errors; beside them `normlaw_registry.curves`, tools for learning curves, and `normlaw_registry.testing`,
the checks of a component. `AUTHOR` lists it.

What the host needs to find, list and ask plugins is `normlaw_registry.host`. `HOST` lists what of it can be
imported from here too, as plugins and notebooks of the first contract do.
"""

from typing import TYPE_CHECKING, Any

from normlaw_registry.architecture import Architecture
from normlaw_registry.callback import Callback, Follower, OptimizerStep, RunContext, RunPoint
from normlaw_registry.complexity import (
    ComplexityMeasure,
    EntryNorms,
    Exactness,
    MeasuredValue,
    MeasurementContext,
    Vector,
)
from normlaw_registry.component import Component, Dtype, Params
from normlaw_registry.counterpart import Counterpart
from normlaw_registry.dataset import Dataset, DatasetInfo, LoadContext, Split, Splits, Task, TaskKind
from normlaw_registry.errors import (
    ComponentError,
    DuplicateComponentError,
    InputError,
    InvalidComponentError,
    NormlawError,
    UndefinedNormError,
    UnknownComponentError,
)
from normlaw_registry.findings import (
    EXPONENTS,
    AnalysisWarning,
    Estimate,
    Findings,
    PlannedRuns,
    Verdict,
)
from normlaw_registry.fit_result import FitResult
from normlaw_registry.fitter import LAW_COLUMNS, LAW_EXPONENT, Fitter, Law
from normlaw_registry.former_names import FORMER, tell
from normlaw_registry.hookspecs import hookimpl
from normlaw_registry.host import CONTRACT_VERSION, Catalogue, load_catalogue, validate_params
from normlaw_registry.linear_map import LayerRule, LinearMap, Operation
from normlaw_registry.loss import Loss, Targets
from normlaw_registry.optimizer import Optimizer
from normlaw_registry.protocol import AnalysisContext, AnalysisProtocol
from normlaw_registry.response import Response
from normlaw_registry.schedule import Schedule
from normlaw_registry.theory import Prediction, Theory
from normlaw_registry.theory_axes import Axis, Grid, Observable, Point, Reference

__all__ = [
    "CONTRACT_VERSION",
    "EXPONENTS",
    "LAW_COLUMNS",
    "LAW_EXPONENT",
    "AnalysisContext",
    "AnalysisProtocol",
    "AnalysisWarning",
    "Architecture",
    "Axis",
    "Callback",
    "Catalogue",
    "ComplexityMeasure",
    "Component",
    "ComponentError",
    "Counterpart",
    "Dataset",
    "DatasetInfo",
    "Dtype",
    "DuplicateComponentError",
    "EntryNorms",
    "Estimate",
    "Exactness",
    "Findings",
    "FitResult",
    "Fitter",
    "Follower",
    "Grid",
    "InputError",
    "InvalidComponentError",
    "Law",
    "LayerRule",
    "LinearMap",
    "LoadContext",
    "Loss",
    "MeasuredValue",
    "MeasurementContext",
    "NormlawError",
    "Observable",
    "Operation",
    "Optimizer",
    "OptimizerStep",
    "Params",
    "PlannedRuns",
    "Point",
    "Prediction",
    "Reference",
    "Response",
    "RunContext",
    "RunPoint",
    "Schedule",
    "Split",
    "Splits",
    "Targets",
    "Task",
    "TaskKind",
    "Theory",
    "UndefinedNormError",
    "UnknownComponentError",
    "Vector",
    "Verdict",
    "hookimpl",
    "load_catalogue",
    "validate_params",
]

HOST = ("CONTRACT_VERSION", "Catalogue", "load_catalogue", "validate_params")
"""What the host needs, and programs that look components up."""

AUTHOR = tuple(name for name in __all__ if name not in HOST)
"""What the author of a plugin imports."""

if not TYPE_CHECKING:  # a checker is to find names that do not exist

    def __getattr__(name: str) -> Any:
        """Return what a plugin of the first contract imports by a former name."""
        if name not in FORMER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        tell(name, FORMER[name])
        return globals()[FORMER[name]]
