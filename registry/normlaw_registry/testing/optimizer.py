"""What every optimiser must do."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from normlaw_registry.component import Params
from normlaw_registry.optimizer import Optimizer
from normlaw_registry.testing.verdict import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import Tensor

Weights = dict[str, "Tensor"]
RATE = 1e-3
STEPS = 6


def check_optimizer(optimizer: Optimizer[Any], params: Params) -> None:
    """Let it lower the squared distance of small weights (matrices, vectors, filters) from a target.

    The distance must fall. Steps must repeat their bits, also through a checkpoint of its state; a rate of zero
    must leave the weights alone; each group must have `lr` and `weight_decay`; every weight must belong to a
    group, and weights that an elementwise optimiser updates stacked must become what they become alone.
    """
    import torch

    before = torch.get_rng_state()
    weights = _weights(0)
    built = _built(optimizer, params, weights)
    _check_groups(optimizer, built, weights)
    distance = _distance(weights)
    for _ in range(STEPS):
        _step(built, weights)
    require(optimizer, _distance(weights) < distance, f"{STEPS} small steps do not lower a quadratic loss")
    require(
        optimizer,
        torch.equal(before, torch.get_rng_state()),
        "it draws from torch's generator: an optimiser draws nothing at random",
    )
    _check_resuming(optimizer, params, weights)
    still = _weights(0)
    idle = _built(optimizer, params, still)
    for group in idle.param_groups:
        group["lr"] = 0.0
    _step(idle, still)
    require(optimizer, _equal(still, _weights(0)), "with `lr` 0 in each group a step changes weights")
    if optimizer.elementwise:
        _check_stacking(optimizer, params)


def _weights(seed: int) -> Weights:
    import torch

    generator = torch.Generator().manual_seed(seed)
    shapes = {"matrix": (5, 3), "vector": (4,), "filters": (4, 2, 3, 3)}
    return {name: torch.randn(*shape, generator=generator).requires_grad_() for name, shape in shapes.items()}


def _built(optimizer: Optimizer[Any], params: Params, weights: Mapping[str, Tensor]) -> torch.optim.Optimizer:
    return optimizer.build(params, weights, RATE, 0.0)


def _distance(weights: Mapping[str, Tensor]) -> float:
    return float(sum((w.detach() - 1).square().sum() for w in weights.values()))


def _step(built: torch.optim.Optimizer, weights: Mapping[str, Tensor]) -> None:
    import torch

    built.zero_grad(set_to_none=True)
    torch.stack([(w - 1).square().sum() for w in weights.values()]).sum().backward()  # type: ignore[no-untyped-call]
    built.step()


def _equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    import torch

    return all(torch.equal(a, b) for a, b in zip(one.values(), other.values(), strict=True))


def _check_groups(
    optimizer: Optimizer[Any], built: torch.optim.Optimizer, weights: Mapping[str, Tensor]
) -> None:
    lacking = [k for k in ("lr", "weight_decay") if any(k not in group for group in built.param_groups)]
    require(optimizer, not lacking, f"each of its `param_groups` must have {' and '.join(lacking)}")
    held = sum(p.numel() for group in built.param_groups for p in group["params"])
    wanted = sum(w.numel() for w in weights.values())
    require(optimizer, held == wanted, f"its `param_groups` hold {held} numbers of the network's {wanted}")


def _check_resuming(optimizer: Optimizer[Any], params: Params, straight: Weights) -> None:
    import torch

    weights = _weights(0)
    built = _built(optimizer, params, weights)
    for step in range(STEPS):
        if step == STEPS // 2:
            buffer = io.BytesIO()
            torch.save(built.state_dict(), buffer)
            buffer.seek(0)
            built = _built(optimizer, params, weights)
            built.load_state_dict(torch.load(buffer, weights_only=True))
        _step(built, weights)
    require(
        optimizer,
        _equal(weights, straight),
        "steps differ from those of another one, or from those after its `state_dict`: all that a step "
        "depends on must be in there",
    )


def _check_stacking(optimizer: Optimizer[Any], params: Params) -> None:
    import torch

    alone = [_weights(seed) for seed in (0, 1)]
    together = {name: torch.stack([one[name].detach() for one in alone]).requires_grad_() for name in alone[0]}
    for weights in (*alone, together):
        built = _built(optimizer, params, weights)
        for _ in range(STEPS):
            _step(built, weights)
    same = all(
        torch.allclose(together[name][place], one[name], rtol=1e-5)
        for place, one in enumerate(alone)
        for name in one
    )
    require(optimizer, same, "stacked weights do not become what each becomes alone: declare elementwise=False")
