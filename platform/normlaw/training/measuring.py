"""All complexity measures of a run, taken in one pass at each measuring point."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from torch import Tensor, nn

from normlaw.training.norms.all_values import all_singular_values
from normlaw.training.norms.entries import entry_norms
from normlaw.training.norms.singular_values import SingularValues
from normlaw_registry import (
    Architecture,
    ComplexityMeasure,
    Follower,
    InputError,
    LinearMap,
    MeasuredValue,
    MeasurementContext,
    NormlawError,
    Params,
    Split,
    Task,
    UndefinedNormError,
)
from normlaw_registry.dataset import SPOKEN
from normlaw_registry.host.measuring_point import MeasuringPoint
from normlaw_registry.host.vectors import problem_of
from normlaw_registry.linear import LinearMapPlan, evaluation

T = TypeVar("T")
NOBODY: Mapping[str, Follower] = MappingProxyType({})


class Measurer:
    """Takes a run's complexity measures. Construct it once per run, on the network as initialised.

    What the measures share is computed once per measuring point. The iteration for singular values starts
    from the previous point's vectors, which `state_dict` holds, so that a resumed run gives the same bits.

    Attributes:
        excluded: what has weights and is no linear map, by layer or parameter name, with the reason.

    Args:
        measures: complexity measures with their parameters, each measure at most once.
        network: the network at initialisation, in any mode; it is left as it is.
        architecture: where it comes from, for its own rules for linear maps; None when it has none.
        task: says the shape of one input.
        plan: what tracing the network has found already; by default it is traced here.

    Raises:
        InputError: a layer with weights has no rule, or a measure is given twice or is not defined for a task.

    """

    def __init__(
        self,
        measures: Sequence[tuple[ComplexityMeasure, Params]],
        network: nn.Module,
        architecture: Architecture | None,
        task: Task,
        plan: LinearMapPlan | None = None,
    ) -> None:
        names = [measure.name for measure, _ in measures]
        if len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InputError(
                f"complexity measure {', '.join(twice)} is given more than once; keep one of each name"
            )
        for measure, _ in measures:
            if measure.tasks is not None and task.kind not in measure.tasks:
                raise InputError(
                    f"complexity measure {measure.name!r} is defined for "
                    f"{' and '.join(SPOKEN[kind] for kind in measure.tasks)}, and this is "
                    f"{'' if task.kind == 'next_token' else 'a '}{SPOKEN[task.kind]} ({task.answer}): leave it "
                    "out of `measures`"
                )
        self._measures = list(measures)
        self._task = task
        self._plan = plan or LinearMapPlan.of(network, task, architecture)
        self.excluded: Mapping[str, str] = dict(self._plan.excluded)
        self._singular_values = SingularValues()
        self._initial: list[LinearMap] = []
        if any(
            measure.needs_initial is not None and measure.needs_initial(params) for measure, params in measures
        ):
            self._initial = [
                replace(m, weight=m.weight.detach().clone()) for m in self._plan.linear_maps(network)
            ]

    def measure(
        self,
        network: nn.Module,
        *,
        train_batches: Callable[[], Iterable[Split]],
        train_labels: Tensor,
        train_logits: Callable[[], Tensor],
        temperature: float = 1.0,
        followers: Mapping[str, Follower] = NOBODY,
    ) -> dict[str, MeasuredValue]:
        """Return each measure's value for the network as it is now, by name; an undefined one is left out.

        Args:
            network: of the same layers as at construction, in any mode; it is left as it is.
            train_batches: gives the training examples as the network sees them, in a fixed order.
            train_labels: (train_size, ...), their labels or targets in the same order.
            train_logits: gives the outputs on them, (train_size, *output_shape); called at most once.
            temperature: what outputs are divided by before the loss.
            followers: what the measures' callbacks have started on this run, by their names.

        Raises:
            InputError: a measure has a callback, and nobody follows this network's training for it.
            NormlawError: a weight is zero or not finite (names the layer), or a measure failed (names it).

        """
        initial = {m.name: m for m in self._initial}
        with evaluation(network):
            context = MeasuringPoint(
                linear_maps=self._plan.linear_maps(network),
                initial_linear_maps=self._initial or _NotKept(),
                entry_norms=_remember(entry_norms),
                moved_entry_norms=_remember(
                    lambda m: entry_norms(m, initial[m.name] if initial else _not_kept())
                ),
                kernel_norm=_remember(self._singular_values.kernel_norm),
                operator_norm=_remember(self._singular_values.operator_norm),
                singular_values=_remember(all_singular_values),
                network=network,
                task=self._task,
                train_batches=train_batches,
                train_labels=train_labels,
                train_logits=_once(train_logits),
                temperature=temperature,
            )
            values = {
                measure.name: _take(measure, params, _followed(measure, context, followers))
                for measure, params in self._measures
            }
            return {name: value for name, value in values.items() if value is not None}

    def forget(self) -> None:
        """Forget earlier points: the next one follows from the network alone, to the last bit."""
        self._singular_values = SingularValues()

    def state_dict(self) -> dict[str, Tensor]:
        """Return what the next measuring point depends on besides the network, as tensors."""
        state = {f"vector.{name}": vector for name, vector in self._singular_values.state_dict().items()}
        return state | {f"initial.{m.name}": m.weight for m in self._initial}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over the state of a measurer with the same measures and the same kind of network."""
        self._singular_values.load_state_dict(
            {key.removeprefix("vector."): v for key, v in state.items() if key.startswith("vector.")}
        )
        self._initial = [
            replace(m, weight=state[f"initial.{m.name}"].to(m.weight.device)) for m in self._initial
        ]


def _followed(
    measure: ComplexityMeasure, context: MeasuringPoint, followers: Mapping[str, Follower]
) -> MeasuringPoint:
    if measure.callback is None:
        return context
    if measure.callback.name not in followers:
        raise InputError(
            f"complexity measure {measure.name!r} follows every optimiser step: it is taken in runs that "
            "normlaw trains, and not of saved weights or in other loops"
        )
    return replace(context, follower=followers[measure.callback.name])


def _take(measure: ComplexityMeasure, params: Params, context: MeasurementContext) -> MeasuredValue | None:
    try:
        value = measure.measure(params, context)
    except UndefinedNormError:
        return None
    except NormlawError:
        raise
    except Exception as error:
        raise NormlawError(
            f"complexity measure {measure.name!r} failed: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(value, MeasuredValue) or not math.isfinite(value.log_value):
        raise NormlawError(
            f"complexity measure {measure.name!r} returned {value!r}; it must return a MeasuredValue with a "
            "finite natural log, or raise NormlawError"
        )
    if (problem := problem_of(measure, value)) is not None:
        raise NormlawError(f"complexity measure {measure.name!r}: {problem}")
    return value


def _remember(function: Callable[[LinearMap], T]) -> Callable[[LinearMap], T]:
    answers: dict[str, T] = {}

    def remembering(linear_map: LinearMap) -> T:
        if linear_map.name not in answers:
            answers[linear_map.name] = function(linear_map)
        return answers[linear_map.name]

    return remembering


def _once(function: Callable[[], Tensor]) -> Callable[[], Tensor]:
    answer: list[Tensor] = []

    def once() -> Tensor:
        if not answer:
            answer.append(function())
        return answer[0]

    return once


def _not_kept() -> LinearMap:
    raise NormlawError(
        "the initial weights are not kept; a measure that looks at them says so: "
        "ComplexityMeasure(..., needs_initial=lambda params: True)"
    )


class _NotKept(Sequence[LinearMap]):
    """In place of the initial maps where no measure has asked for them."""

    def __len__(self) -> int:
        _not_kept()
        return 0

    def __getitem__(self, index: object) -> LinearMap:  # type: ignore[override]
        return _not_kept()
