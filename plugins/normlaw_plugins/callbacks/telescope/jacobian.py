"""How a network's outputs on each example move with its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normlaw_registry import InputError, RunContext

if TYPE_CHECKING:
    from torch import Tensor, nn

CHUNK = 256
"""Examples whose derivatives are taken at once."""


def jacobian(network: nn.Module, inputs: Tensor) -> Tensor:
    """Return the derivatives of outputs in the trained weights as the network is now, by example and output.

    Args:
        network: takes each example by itself; it is left as it is.
        inputs: (n, *input_shape).

    Returns:
        (n * num_outputs, parameters) float64; the derivatives themselves are computed in the network's own
        precision, weights in the order of `network.parameters()`.

    """
    import torch
    from torch.func import functional_call, jacrev

    weights = {name: p.detach() for name, p in network.named_parameters() if p.requires_grad}

    def outputs(weights: dict[str, Tensor], example: Tensor) -> Tensor:
        found: Tensor = functional_call(network, weights, (example[None],))
        return found[0]  # (num_outputs,)

    by_weight = torch.vmap(jacrev(outputs), in_dims=(None, 0), chunk_size=CHUNK)(weights, inputs)
    rows = len(inputs) * next(iter(by_weight.values())).shape[1]
    return torch.cat([part.reshape(rows, -1).double() for part in by_weight.values()], dim=1)


def require_single_examples(run: RunContext) -> None:
    """Raise InputError where a network's outputs are no function of its weights and of one example alone."""
    import torch
    from torch.func import functional_call

    network, two = run.network, run.train().inputs[:2]
    held = {name: buffer.clone() for name, buffer in network.named_buffers()}
    modes = [module.training for module in network.modules()]
    with torch.random.fork_rng(), torch.no_grad():
        before = torch.get_rng_state()
        functional_call(network.train(), held, (two,))
        drawn = not torch.equal(before, torch.get_rng_state())
    for module, mode in zip(network.modules(), modes, strict=True):
        module.training = mode
    if any(not torch.equal(held[name], buffer) for name, buffer in network.named_buffers()):
        raise InputError(f"{ALONE}; this network keeps running statistics of its batches")
    if drawn:
        raise InputError(f"{ALONE}; this network draws random numbers, as dropout does")


ALONE = "effective parameters need outputs that follow from the weights and one example alone"
