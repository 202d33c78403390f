"""What a run's components support, against the device and precision chosen, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from normlaw.study.spec import RunSpec
from normlaw_registry import (
    Architecture,
    Callback,
    Catalogue,
    ComplexityMeasure,
    Component,
    Dataset,
    InputError,
    Loss,
    Optimizer,
    Schedule,
)


def components(spec: RunSpec, catalogue: Catalogue) -> Iterator[Component]:
    """Yield the components that take part in a run's training."""
    yield catalogue.get(Architecture, spec.architecture.name)
    yield catalogue.get(Dataset, spec.dataset.name)
    if not spec.follows_norm:
        yield catalogue.get(Loss, spec.loss.name)
        yield catalogue.get(Optimizer, spec.optimizer.name)
        yield catalogue.get(Schedule, spec.learning_rate_schedule.name)
    for measure in spec.measures:
        yield catalogue.get(ComplexityMeasure, measure.name)
    for callback in spec.callbacks:
        yield catalogue.get(Callback, callback.name)


def check_support(specs: Iterable[RunSpec], catalogue: Catalogue, device: str) -> None:
    """Refuse a device or a precision that a component of a run does not declare.

    Args:
        specs: the runs.
        catalogue: where their components are found.
        device: torch's name of it, such as 'cpu' or 'cuda:1'; 'auto' where each worker has another, and
            looks itself.

    Raises:
        InputError: names the component, who provides it and what it supports.

    """
    kind = device.partition(":")[0]
    for component, precision in _distinct(specs, catalogue):
        who = described(type(component), component.name, catalogue)
        if component.devices is not None and kind not in (*component.devices, "auto"):
            raise InputError(
                f"{who} works on {' and '.join(component.devices)} only, and the "
                f"device chosen is {device}: give --device {component.devices[0]}"
            )
        if component.dtypes is not None and precision not in component.dtypes:
            raise InputError(
                f"{who} works in {' and '.join(component.dtypes)} only, and the "
                f"study trains in {precision}: give `compute.precision: {component.dtypes[0]}`"
            )


def _distinct(specs: Iterable[RunSpec], catalogue: Catalogue) -> list[tuple[Component, str]]:
    """Return each component that takes part, once for each precision that it is trained in."""
    found = {
        (one.kind, one.name, spec.compute.precision): (one, str(spec.compute.precision))
        for spec in specs
        for one in components(spec, catalogue)
    }
    return list(found.values())


def described(kind: type[Component], name: str, catalogue: Catalogue) -> str:
    """Return a component with who provides it, as errors say it: "dataset 'digits' of normlaw 0.1.0"."""
    provider = catalogue.provider(kind, name)
    return f"{kind.kind} {name!r} of {provider.distribution} {provider.version}".rstrip()
