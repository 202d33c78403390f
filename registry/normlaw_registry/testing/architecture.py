"""What every architecture must do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from normlaw_registry.architecture import Architecture
from normlaw_registry.component import Params
from normlaw_registry.dataset import Task
from normlaw_registry.errors import ComponentError, InputError, InvalidComponentError
from normlaw_registry.made_up import random_inputs
from normlaw_registry.testing.linear_maps import check_linear_maps
from normlaw_registry.testing.verdict import require

if TYPE_CHECKING:
    from torch import Tensor, nn

TASKS = (
    Task(input_shape=(1, 8, 8), num_classes=10),
    Task(input_shape=(12,), num_classes=2),
    Task(input_shape=(3, 16, 16), num_classes=2),
    Task(input_shape=(1, 28, 28), num_classes=10),
    Task(input_shape=(3, 32, 32), num_classes=100),
    Task(input_shape=(12,), kind="regression", num_targets=1),
    Task(input_shape=(6,), kind="next_token", vocabulary=11),
)
MOST_TASKS = 2
BATCH = 3


def check_architecture(architecture: Architecture, params: Params, *, tasks: Sequence[Task] = TASKS) -> None:
    """Build the network for the first two tasks that it does not refuse, each preset for the first; run it.

    It may refuse a task by raising `InputError`, but must serve one of them. A network must build the same
    weights from the same seed, be float32, answer (batch, num_outputs), answer in evaluation mode the same
    twice and for an example alone, pass a finite gradient to every parameter, and train in bfloat16 unless its
    `dtypes` leave that out. Its linear maps are found by the tracing of a run, and none is zero to begin with.
    What passes for a task, a run takes for it.
    """
    import torch

    with torch.random.fork_rng(devices=[]), _repeatable():
        for network, task in _served(architecture, params, tasks, "its parameters", MOST_TASKS):
            _check_network(architecture, params, network, task)
        for name, values in architecture.presets.items():
            setting = architecture.params.model_validate(dict(values))
            for network, task in _served(architecture, setting, tasks, f"preset {name!r}", 1):
                _check_output(architecture, network, task, _inputs(task)[:1])


def _served(
    architecture: Architecture, params: Params, tasks: Sequence[Task], setting: str, most: int
) -> list[tuple[nn.Module, Task]]:
    served: list[tuple[nn.Module, Task]] = []
    for task in tasks:
        if task.kind not in architecture.tasks:
            continue
        try:
            served.append((_build(architecture, params, task), task))
        except ComponentError:
            raise
        except InputError:
            continue
        if len(served) == most:
            break
    require(
        architecture,
        served,
        f"with {setting} it serves none of {[task.input_shape for task in tasks]}: give "
        "check_component(..., tasks=[...]) a task that it serves",
    )
    return served


def _inputs(task: Task) -> Tensor:
    import torch

    return random_inputs(task, BATCH, torch.Generator().manual_seed(0))


def _build(architecture: Architecture, params: Params, task: Task) -> nn.Module:
    import torch

    torch.manual_seed(0)
    return architecture.build(params, task)


def _check_network(architecture: Architecture, params: Params, network: nn.Module, task: Task) -> None:
    import torch
    from torch import nn

    require(
        architecture, isinstance(network, nn.Module), f"`build` must return an nn.Module, got {type(network)}"
    )
    require(architecture, any(True for _ in network.parameters()), "the network has no parameters to train")
    for name, weight in network.named_parameters():
        require(architecture, weight.dtype == torch.float32, f"{name} must be float32, got {weight.dtype}")
        require(architecture, weight.device.type == "cpu", f"`build` must leave {name} on the CPU")
    again = _build(architecture, params, task).state_dict()
    for name, value in network.state_dict().items():
        require(
            architecture,
            torch.equal(value, again[name]),
            f"{name} differs between two builds after torch.manual_seed(0): draw from torch's global generator",
        )
    _check_forward(architecture, network, task, _inputs(task))
    _check_layout(architecture, network, task)
    _check_gradient(architecture, network, task, _inputs(task))
    if architecture.dtypes is None or "bfloat16" in architecture.dtypes:
        _check_bfloat16(architecture, network, _inputs(task))
    check_linear_maps(architecture, network, task)


def _check_forward(architecture: Architecture, network: nn.Module, task: Task, inputs: Tensor) -> None:
    import torch

    outputs = _check_output(architecture, network, task, inputs)
    with torch.no_grad():
        repeated, alone = network(inputs), network(inputs[:1])  # (batch, num_outputs), (1, num_outputs)
    require(
        architecture,
        torch.equal(outputs, repeated),
        "two forward passes in evaluation mode differ: draw random numbers in training mode only",
    )
    require(
        architecture,
        torch.allclose(outputs[:1], alone, rtol=1e-3, atol=1e-4 * float(outputs.abs().max())),
        "in evaluation mode an answer depends on the other examples of the batch: use running statistics",
    )
    if task.kind == "next_token":
        _check_causality(architecture, network, task, inputs, outputs)


def _check_causality(
    architecture: Architecture, network: nn.Module, task: Task, inputs: Tensor, outputs: Tensor
) -> None:
    """Change the last token: no answer but the last one may change."""
    import torch

    others = inputs.clone()
    others[:, -1] = (others[:, -1] + 1) % task.vocabulary
    with torch.no_grad():
        changed = network(others)
    size = float(outputs.abs().max())
    require(
        architecture,
        torch.allclose(outputs[:, :-1], changed[:, :-1], rtol=1e-3, atol=1e-4 * size),
        "an answer depends on later tokens, of which the next one is what it should foretell: mask them",
    )
    require(
        architecture,
        not torch.equal(outputs[:, -1], changed[:, -1]),
        "the last answer does not depend on the last token",
    )


def _check_output(architecture: Architecture, network: nn.Module, task: Task, inputs: Tensor) -> Tensor:
    import torch

    network.eval()
    with torch.no_grad():
        outputs = network(inputs)  # (batch, num_outputs)
    expected = (len(inputs), *task.output_shape)
    require(
        architecture,
        tuple(outputs.shape) == expected,
        f"for inputs {tuple(inputs.shape)} and {task.answer} the output must be "
        f"(batch, *task.output_shape) = {expected}, got {tuple(outputs.shape)}",
    )
    require(architecture, outputs.dtype == torch.float32, f"the output must be float32, got {outputs.dtype}")
    require(architecture, outputs.isfinite().all(), "the output on random inputs is not finite")
    return cast("Tensor", outputs)


def _check_layout(architecture: Architecture, network: nn.Module, task: Task) -> None:
    from normlaw_registry.linear.channels_last import endangered

    try:
        endangered(network, task)
    except InputError as error:  # its gradient could damage this process's memory: it is not taken
        raise InvalidComponentError(f"{architecture.kind} {architecture.name!r}: {error}") from error


@contextmanager
def _repeatable() -> Iterator[None]:
    """Let torch take only algorithms that repeat their bits, as in a run."""
    import torch

    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("error")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before)


def _check_gradient(architecture: Architecture, network: nn.Module, task: Task, inputs: Tensor) -> None:
    import torch

    network.train()
    weights = torch.randn(len(inputs), *task.output_shape, generator=torch.Generator().manual_seed(1))
    (network(inputs) * weights).sum().backward()
    trainable = [(name, weight) for name, weight in network.named_parameters() if weight.requires_grad]
    for name, weight in trainable:
        require(
            architecture,
            weight.grad is not None,
            f"no gradient reaches {name}: use it in `forward`, or leave it out of the network",
        )
        finite = weight.grad is not None and weight.grad.isfinite().all()
        require(architecture, finite, f"the gradient of {name} is not finite")
    moved = any(bool(weight.grad.any()) for _, weight in trainable if weight.grad is not None)
    require(architecture, moved, "every gradient is zero: the output does not depend on the parameters")


def _check_bfloat16(architecture: Architecture, network: nn.Module, inputs: Tensor) -> None:
    import torch

    network.train()
    network.zero_grad()
    try:
        with torch.autocast("cpu", torch.bfloat16):
            outputs = network(inputs)  # (batch, num_outputs)
        outputs.float().sum().backward()
    except Exception as error:  # whatever the network raises, its declaration is what is wrong
        raise InvalidComponentError(
            f"{architecture.kind} {architecture.name!r}: it cannot be trained under torch.autocast in bfloat16 "
            f'({type(error).__name__}: {error}): declare Architecture(..., dtypes=("float32",))'
        ) from error
    require(
        architecture, outputs.isfinite().all(), "in bfloat16 the output is not finite: declare its `dtypes`"
    )
