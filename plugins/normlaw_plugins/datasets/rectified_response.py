"""Networks of one hidden layer of rectified units on Gaussian inputs: their mean square in closed form."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


def mean_square(weights: Tensor, amplitudes: Tensor, offset: float, spectrum: Tensor) -> float:
    """Return the mean of (sum_k A_k max(w_k.x, 0) + c)^2 over x_i ~ N(0, lam_i).

    With Q = W diag(lam) W^T and the angle t between two units, E[max(u, 0) max(v, 0)] is
    sqrt(Q_uu Q_vv) (sin t + (pi - t) cos t) / (2 pi), and E[max(u, 0)] = sqrt(Q_uu / (2 pi)).

    Source: Cho, Saul 2009, section 2.1 (the arc-cosine kernel of degree 1).

    Args:
        weights: W, (K, N) float64.
        amplitudes: A, (K,) float64.
        offset: c.
        spectrum: lam, (N,) float64.

    """
    import torch

    Q = (weights * spectrum) @ weights.T  # (K, K)
    size = Q.diagonal().clamp_min(0.0).sqrt()  # (K,)
    sizes = size.outer(size)
    cosine = (Q / sizes.clamp_min(torch.finfo(Q.dtype).tiny)).clamp(-1.0, 1.0)
    angle = cosine.acos()
    products = sizes * (angle.sin() + (torch.pi - angle) * cosine) / (2 * torch.pi)
    mean = float(amplitudes @ size) / sqrt(2 * torch.pi)
    return max(float(amplitudes @ products @ amplitudes) + 2 * offset * mean + offset**2, 0.0)


def rectified(network: nn.Module) -> tuple[Tensor, Tensor, float] | None:
    """Return W, (K, N), A, (K,), and c of a network sum_k A_k max(w_k.x, 0) + c in float64; None for others.

    Args:
        network: of one output; layers in a row, as `mlp` builds them with one hidden layer whose units have no
            biases.

    """
    from torch import nn

    if not isinstance(network, nn.Sequential):
        return None
    layers = [layer for layer in network if not isinstance(layer, nn.Flatten | nn.Dropout)]
    if [type(layer) for layer in layers] != [nn.Linear, nn.ReLU, nn.Linear]:
        return None
    first, last = layers[0], layers[2]
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    if last.out_features != 1 or (first.bias is not None and bool(first.bias.detach().any())):
        return None
    offset = 0.0 if last.bias is None else float(last.bias.detach())
    return first.weight.detach().double().cpu(), last.weight.detach().double().cpu()[0], offset
