"""What every complexity measure must do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from normlaw_registry.complexity import ComplexityMeasure, MeasurementContext
from normlaw_registry.component import Params
from normlaw_registry.dataset import Task
from normlaw_registry.errors import ComponentError, InputError, InvalidComponentError
from normlaw_registry.linear_map import LinearMap
from normlaw_registry.testing.callback import Case
from normlaw_registry.testing.context import measurement_context
from normlaw_registry.testing.following import check_following
from normlaw_registry.testing.measured_value import check_value
from normlaw_registry.testing.verdict import require

if TYPE_CHECKING:
    from torch import Tensor, nn


def check_measure(
    measure: ComplexityMeasure,
    params: Params,
    *,
    networks: Sequence[tuple[nn.Module, Task]] | None = None,
    cases: Sequence[Case] | None = None,
) -> None:
    """Measure several networks: by default linear, a multilayer perceptron and a convolutional one.

    It may refuse a network by raising `InputError`, but must serve one of them. The answer must be a finite
    `MeasuredValue`, the same when asked again and when a fresh point is made of the same weights, and must
    tell different weights of one of them apart. It may look at initial weights only where `needs_initial`
    says so; the network, its gradients, its mode and torch's global generator must be as before. Parts and
    spectra are as it `gives` them, of the same names for the same network. One with a callback is taken of
    short runs that the callback follows; see `check_callback`.
    """
    import torch

    if measure.callback is not None:
        check_following(measure, params, cases)
        return

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        given = _networks() if networks is None else networks
        apart = [_check_on(measure, params, network, task) for network, task in given]
    served = [each for each in apart if each is not None]
    require(
        measure,
        bool(served),
        "it serves none of the networks: give check_component(..., networks=[...]) one that it serves",
    )
    require(  # the rank of a single row is 1 whatever its weights are: of one network is enough
        measure,
        any(served),
        "of no network do two of different weights have different norms: read context.linear_maps",
    )


def _networks() -> list[tuple[nn.Module, Task]]:
    from torch import nn

    flat, image = Task(input_shape=(6,), num_classes=2), Task(input_shape=(2, 6, 6), num_classes=3)
    return [
        (nn.Sequential(nn.Flatten(), nn.Linear(6, 1, bias=False)), flat),
        (nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 1)), flat),
        (
            nn.Sequential(
                nn.Conv2d(2, 4, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(4, 5, 3, stride=2),
                nn.ReLU(),
                nn.Flatten(),
                nn.Linear(20, 3),
            ),
            image,
        ),
    ]


def _check_on(measure: ComplexityMeasure, params: Params, network: nn.Module, task: Task) -> bool | None:
    """Return whether other weights have another norm; None where the measure refuses the network."""
    import torch

    context = _point(measure, params, network, task)
    before = _state(network)
    try:
        value = measure.measure(params, context)
    except ComponentError:
        raise
    except InputError:
        return None
    for what, one, other in zip(
        ("weights", "gradients", "generator", "mode"), before, _state(network), strict=True
    ):
        same = len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
        require(
            measure, same, f"`measure` changes the {what}: work on copies, under torch.no_grad()" + HINT[what]
        )
    check_value(measure, value)
    for again in (
        measure.measure(params, context),
        measure.measure(params, _point(measure, params, network, task)),
    ):
        require(
            measure,
            again.log_value == value.log_value,
            f"two measurements of the same weights differ ({value.log_value!r}, {again.log_value!r}): start "
            "iterations from a fixed vector, and draw from a generator with a fixed seed",
        )
        require(
            measure,
            (again.parts, again.spectra) == (value.parts, value.spectra),
            "two measurements of the same weights differ in their parts or spectra",
        )
    with torch.no_grad():
        for index, weight in enumerate(network.parameters()):
            weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(index)))
    other_value = measure.measure(params, _point(measure, params, network, task))
    require(
        measure,
        (*other_value.parts, *other_value.spectra) == (*value.parts, *value.spectra),
        "with other weights it has other parts or spectra: each must be there at every point of a run",
    )
    return other_value.log_value != value.log_value


class _Undeclared(Sequence[LinearMap]):
    """Stands for the initial maps that the platform does not keep for this measure."""

    def __init__(self, measure: ComplexityMeasure) -> None:
        self._measure = measure

    def __getitem__(self, index: Any) -> Any:
        self.refuse()

    def __len__(self) -> int:  # noqa: PLE0303  # it never returns
        self.refuse()

    def refuse(self, *_: object) -> NoReturn:
        raise InvalidComponentError(
            f"complexity_measure {self._measure.name!r}: it looks at the initial weights, which are kept only "
            "where declared: give ComplexityMeasure(..., needs_initial=lambda params: True)"
        )


def _point(measure: ComplexityMeasure, params: Params, network: nn.Module, task: Task) -> MeasurementContext:
    context = measurement_context(network, task)
    if measure.needs_initial is not None and measure.needs_initial(params):
        return context
    undeclared = _Undeclared(measure)
    return replace(context, initial_linear_maps=undeclared, moved_entry_norms=undeclared.refuse)


HINT = {
    "weights": "",
    "gradients": "",
    "generator": "; draw from a torch.Generator of its own",
    "mode": "; leave the network in evaluation mode",
}


def _state(network: nn.Module) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
    import torch

    weights = [value.detach().clone() for value in network.state_dict().values()]
    gradients = [weight.grad.clone() for weight in network.parameters() if weight.grad is not None]
    mode = torch.tensor([module.training for module in network.modules()])
    return weights, gradients, [torch.get_rng_state()], [mode]
