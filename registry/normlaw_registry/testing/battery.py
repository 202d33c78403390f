"""One entrance to the checks of all kinds of component."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from normlaw_registry.architecture import Architecture
from normlaw_registry.callback import Callback
from normlaw_registry.complexity import ComplexityMeasure
from normlaw_registry.component import Component, Params
from normlaw_registry.dataset import Dataset
from normlaw_registry.errors import InputError, InvalidComponentError
from normlaw_registry.fitter import Fitter
from normlaw_registry.loss import Loss
from normlaw_registry.optimizer import Optimizer
from normlaw_registry.protocol import AnalysisProtocol
from normlaw_registry.schedule import Schedule
from normlaw_registry.testing.architecture import check_architecture
from normlaw_registry.testing.callback import check_callback
from normlaw_registry.testing.complexity import check_measure
from normlaw_registry.testing.dataset import check_dataset
from normlaw_registry.testing.fitter import check_fitter
from normlaw_registry.testing.loss import check_loss
from normlaw_registry.testing.optimizer import check_optimizer
from normlaw_registry.testing.protocol import check_protocol
from normlaw_registry.testing.schedule import check_schedule
from normlaw_registry.testing.theory import check_theory
from normlaw_registry.testing.verdict import require
from normlaw_registry.theory import Theory

CHECKS: dict[type[Component], Callable[..., None]] = {
    Architecture: check_architecture,
    Dataset: check_dataset,
    Loss: check_loss,
    Optimizer: check_optimizer,
    Schedule: check_schedule,
    ComplexityMeasure: check_measure,
    Callback: check_callback,
    Fitter: check_fitter,
    Theory: check_theory,
    AnalysisProtocol: check_protocol,
}
"""Kind of component -> its checks, called with the component, its params and the options."""


def check_component(component: Component, *, params: Params | None = None, **options: Any) -> None:
    """Run a component of any kind against its contract; returns when it keeps all of it.

    Args:
        component: what a hook gives.
        params: its parameters; by default its parameter model with nothing set.
        options: what the checks of its kind may be told:
            architecture: `tasks`, the tasks to build for;
            dataset: `data_dir`, where its files lie, and `train_size`;
            complexity measure: `networks`, pairs of network and task; `cases` as below for one with a callback;
            callback: `cases`, of a network, its task and the name of a loss: cross_entropy or mse;
            fitter: `exponent`, the true value to recover, and `points` that have it;
            theory: `grid`, values inside its range of each axis; `alphas` and `norms` of one of load and norm;
            protocol: `curves` as a protocol is given them, their true `exponents`, `catalogue` of its fitters.

    Raises:
        InvalidComponentError: it breaks the contract; says what to change.
        InputError: it refuses what it was given, such as a data set whose files are not in `data_dir`, or
            a component that does not declare the CPU.

    """
    for kind, check in CHECKS.items():
        if isinstance(component, kind):
            if component.devices is not None and "cpu" not in component.devices:
                raise InputError(
                    f"{component.kind} {component.name!r} does not declare the CPU, where checks run"
                )
            check(component, _checked_params(component, params), **options)
            return
    raise InvalidComponentError(
        f"{component!r} is no component: give one of {', '.join(k.__name__ for k in CHECKS)}"
    )


def _checked_params(component: Component, params: Params | None) -> Params:
    chosen = component.params.model_validate({}) if params is None and not _required(component) else params
    if chosen is None:
        raise InvalidComponentError(
            f"{component.kind} {component.name!r}: {', '.join(_required(component))} of its parameters have no "
            "default: give check_component(..., params=...)"
        )
    again = component.params.model_validate_json(chosen.model_dump_json())
    require(
        component,
        again == chosen,
        f"its parameters change on their way through JSON ({chosen!r} to {again!r}), so that no run could be "
        "identified by them: use types that pydantic writes and reads alike",
    )
    return chosen


def _required(component: Component) -> list[str]:
    return [name for name, field in component.params.model_fields.items() if field.is_required()]
