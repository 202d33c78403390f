"""What every loss must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from normlaw_registry.component import Params
from normlaw_registry.loss import Loss
from normlaw_registry.testing.verdict import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

EXAMPLES = 6
SMALL = 1e-3
"""Length of a step downhill."""


def check_loss(loss: Loss[Any], params: Params) -> None:
    """Take the loss of made-up outputs: with one output and with several, and of each kind of targets it names.

    It must be a scalar in the outputs' precision, finite, the mean of what it is for each example, repeat its
    bits, leave its arguments and torch's generator alone, and fall along its gradient. One that declares that
    it stacks must be the same under `torch.vmap`.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    for outputs, targets in _batches(loss, generator):
        what = f"outputs {tuple(outputs.shape)} and targets {tuple(targets.shape)}"
        kept = outputs.clone(), targets.clone(), torch.get_rng_state()
        value = loss.mean(params, outputs, targets)
        require(
            loss,
            isinstance(value, torch.Tensor) and value.shape == () and value.dtype == outputs.dtype,
            f"`mean` of {what} must be a scalar tensor of {outputs.dtype}, got {value!r}",
        )
        require(loss, bool(value.isfinite()), f"`mean` of {what} is not finite")
        again = loss.mean(params, outputs, targets)
        require(
            loss,
            torch.equal(value, again) and torch.equal(kept[2], torch.get_rng_state()),
            f"two calls with {what} differ, or draw from torch's generator: a loss draws nothing at random",
        )
        require(
            loss,
            torch.equal(kept[0], outputs) and torch.equal(kept[1], targets),
            "`mean` changes its arguments",
        )
        each = torch.stack(
            [loss.mean(params, outputs[i : i + 1], targets[i : i + 1]) for i in range(len(outputs))]
        )
        require(
            loss,
            torch.allclose(each.mean(), value, rtol=1e-9),
            f"`mean` of {what} is {float(value):g}, and the mean of its single examples {float(each.mean()):g}",
        )
        _check_gradient(loss, params, outputs, targets)
        if loss.stacks:
            _check_stacking(loss, params, outputs, targets, each)


def _batches(loss: Loss[Any], generator: Any) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield outputs (b, num_outputs) in float64, with targets."""
    import torch

    for number in (1, 4):
        outputs = torch.randn(EXAMPLES, number, generator=generator, dtype=torch.float64)
        if "classes" in loss.targets:
            classes = torch.arange(EXAMPLES) % max(2, number)
            yield outputs, classes
            yield 50 * outputs, classes
        if "numbers" in loss.targets:
            numbers = torch.randn(EXAMPLES, number, generator=generator, dtype=torch.float64)
            yield outputs, numbers
            if number == 1:
                yield outputs, numbers[:, 0]


def _check_gradient(loss: Loss[Any], params: Params, outputs: Tensor, targets: Tensor) -> None:
    import torch

    leaf = outputs.clone().requires_grad_()
    value = loss.mean(params, leaf, targets)
    require(loss, value.requires_grad, "`mean` cannot be differentiated in the outputs")
    (gradient,) = torch.autograd.grad(value, leaf)
    size = float(gradient.norm())
    require(loss, bool(gradient.isfinite().all()), "the gradient of `mean` is not finite")
    if size > 0:
        lower = loss.mean(params, outputs - SMALL * gradient / size, targets)
        require(loss, bool(lower <= value), "`mean` rises along the negative of its gradient")


def _check_stacking(loss: Loss[Any], params: Params, outputs: Tensor, targets: Tensor, each: Tensor) -> None:
    import torch

    try:
        stacked = torch.vmap(lambda z, y: loss.mean(params, z[None], y[None]))(outputs, targets)
    except Exception as error:  # noqa: BLE001  # torch raises what it likes
        require(loss, False, f"`mean` cannot be taken under torch.vmap ({error}): declare stacks=False")
    require(
        loss,
        torch.allclose(stacked, each, rtol=1e-9),
        "`mean` under torch.vmap is another: declare stacks=False",
    )
