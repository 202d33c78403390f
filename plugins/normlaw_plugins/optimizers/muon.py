"""Muon for matrices, AdamW for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from normlaw_plugins.optimizers.adam import AdamParams, build_adamw
from normlaw_plugins.optimizers.joined import View, as_matrix, joined
from normlaw_plugins.optimizers.light import light
from normlaw_registry import InputError, Optimizer, Params

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class MuonParams(Params):
    """How momentum is made orthogonal, and how fast the rest learns."""

    momentum: float = Field(0.95, ge=0, lt=1, description="of the matrices")
    nesterov: bool = Field(True, description="whether momentum looks ahead")
    ns_steps: int = Field(5, gt=0, lt=100, description="iterations of Newton and Schulz")
    scale: Literal["original", "match_rms_adamw"] = Field(
        "original",
        description="of a matrix' step, (out, in): `original` is sqrt(max(1, out/in)), `match_rms_adamw` "
        "0.2 sqrt(max(out, in))",
    )
    rest_factor: float = Field(
        1.0, gt=0, description="learning rate of AdamW for what is no matrix, over that of the matrices"
    )


def build(
    params: MuonParams, weights: Mapping[str, Tensor], learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Return torch's Muon for matrices and AdamW for the rest: biases, gains, embeddings of places.

    The filters of a convolution in two or three dimensions count as a matrix with a row an output channel.
    Weight decay makes each weight smaller by its rate times `weight_decay` of it a step.

    Raises:
        InputError: the network has no matrix.

    """
    import torch

    matrices = {
        name: w if w.dim() == 2 else as_matrix(w) for name, w in weights.items() if w.dim() in (2, 4, 5)
    }
    rest = {name: w for name, w in weights.items() if name not in matrices}
    if not matrices:
        raise InputError("muon: the network has no matrix and no filters; take another optimizer")
    muon = light(torch.optim.Muon)(
        matrices.values(),
        lr=learning_rate,
        weight_decay=weight_decay,
        momentum=params.momentum,
        nesterov=params.nesterov,
        ns_steps=params.ns_steps,
        adjust_lr_fn=params.scale,
    )
    parts = [muon]
    if rest:
        parts.append(build_adamw(AdamParams(), rest, learning_rate * params.rest_factor, weight_decay))
    return joined(parts, [View(weights[name], m) for name, m in matrices.items() if m is not weights[name]])


MUON = Optimizer(
    name="muon",
    summary="Muon for matrices and filters, AdamW for the rest",
    source="Jordan et al. 2024, kellerjordan.github.io/posts/muon; torch.optim.Muon",
    formula=r"B \leftarrow \mu B + \nabla L, \quad W \leftarrow (1 - \eta\lambda)\, W - "
    r"\eta \sqrt{\max(1, d_\mathrm{out}/d_\mathrm{in})}\; \mathrm{orthogonalised}(\nabla L + \mu B)",
    params=MuonParams,
    build=build,
    elementwise=False,
)
