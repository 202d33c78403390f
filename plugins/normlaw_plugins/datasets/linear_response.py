"""What a network is as one affine map of its flattened inputs, where it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from torch import Tensor, nn

PROBES = 4
TOLERANCE = 1e-4
"""Largest difference of the network from its affine map on random inputs, relative to their scale."""


def affine(network: nn.Module, dimension: int) -> tuple[Tensor, Tensor] | None:
    """Return W, (outputs, dimension), and c, (outputs,), of a network x -> W x + c, in float64; else None.

    W is the derivative at 0; on random inputs the network must agree with it. Whatever is linear counts, as a
    trained layer on a frozen projection.

    Args:
        network: in any mode; it, its gradients and its mode are left as they are.
        dimension: N; its inputs are (n, N).

    """
    import torch

    like = next(network.parameters()).detach()
    with torch.enable_grad():
        zero = torch.zeros(1, dimension, device=like.device, dtype=like.dtype, requires_grad=True)
        at_zero = cast("Tensor", network(zero))[0]  # (outputs,)
        rows = [torch.autograd.grad(output, zero, retain_graph=True)[0][0] for output in at_zero]
    slope, offset = torch.stack(rows), at_zero.detach()  # (outputs, N), (outputs,)
    generator = torch.Generator().manual_seed(0)
    probes = torch.randn(PROBES, dimension, generator=generator).to(like)
    with torch.no_grad():
        difference = network(probes) - (probes @ slope.T + offset)  # (PROBES, outputs)
    scale = slope.norm() * dimension**0.5 + offset.norm()
    if not bool((difference.abs() <= TOLERANCE * scale).all()):
        return None
    return slope.double().cpu(), offset.double().cpu()


def affine_squared_error(network: nn.Module, target: Tensor, spectrum: Tensor) -> float | None:
    """Return the mean of (f(psi) - w.psi)^2 over psi_k ~ N(0, lam_k); None for a network that is not affine.

    Args:
        network: of one output; left as it is.
        target: w, (modes,) float64.
        spectrum: lam, (modes,) float64.

    """
    found = affine(network, len(target))
    if found is None:
        return None
    slope, offset = found
    return float((spectrum * (target - slope[0]).square()).sum() + offset[0].square())
