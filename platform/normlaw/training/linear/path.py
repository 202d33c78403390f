"""Runs whose length is a norm: the network is set to each point of a path in its weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from normlaw.study.spec import RunSpec
from normlaw.training.data import EVALUATION_BATCH, RunData
from normlaw.training.linear.fixed_norm import least_loss
from normlaw.training.linear.gradient_flow import gradient_flow
from normlaw.training.linear.margins import SignedInputs
from normlaw.training.loss import signed
from normlaw_registry import InputError

EVALUATION_NUMBERS = 1 << 22
"""Inputs in a forward pass of x -> v.x, 16 MB of them."""


def follow_norm(spec: RunSpec, network: nn.Module, data: RunData) -> Iterator[int]:
    """Yield 0, 1, ... while the network stands at norms log-spaced from its initial one to the final one.

    Step 0 of gradient flow is the initial network itself, that of fixed_norm the least loss at its norm. The
    network must be x -> v.x: then log_norm/weight_norm is ln |v|, and train/loss is in the network's own
    float32, while the path is computed in float64.

    Raises:
        InputError: the network is something else, there are more than two classes, or final_norm is not above
            the initial norm.
        NormlawError: the path ends early, as on data that no linear classifier separates; names the norm.

    """
    weight = linear_weight(spec, network, data)
    start = weight.detach()[0].double().numpy()  # (N,)
    initial, final = float(np.linalg.norm(start)), spec.trainer.final_norm
    assert final is not None, "a specification with such a trainer has a final norm"
    if not 0.0 < initial < final:
        raise InputError(f"{spec.trainer.name}: final_norm {final:g} must be above the initial {initial:g}")
    norms = [float(norm) for norm in np.geomspace(initial, final, spec.measuring_points + 1)]
    follow = gradient_flow if spec.trainer.name == "gradient_flow" else least_loss
    for step, v in enumerate(follow(signed_inputs(data), start, norms, spec.trainer.tolerance)):
        with torch.no_grad():
            weight.copy_(torch.from_numpy(v)[None])
        yield step


def evaluated_at_once(data: RunData) -> int:
    """Return how many examples x -> v.x is applied to at once: in a sixth of the time that small batches take.

    The outputs are the same to the last bit: each is one row's product with v, and rows are taken in blocks
    that fit a small batch, and so these batches, a whole number of times.
    """
    batches = EVALUATION_NUMBERS // (EVALUATION_BATCH * data.splits.train.inputs[0].numel())
    return EVALUATION_BATCH * max(1, batches)


def signed_inputs(data: RunData) -> SignedInputs:
    """Return the training examples as rows y x."""
    rows = [signed(batch.labels)[:, None] * batch.inputs.flatten(1) for batch in data.train.batches()]
    return SignedInputs(torch.cat(rows).numpy())


def linear_weight(spec: RunSpec, network: nn.Module, data: RunData) -> Tensor:
    """Return the parameter v, (1, N), of a network that is x -> v.x. Raises as `follow_norm`."""
    parameters = list(network.parameters())
    inputs = data.train.batch(slice(0, 4))[0]  # (4, *input_shape)
    dimension = inputs[0].numel()
    if len(parameters) == 1 and parameters[0].shape == (1, dimension):
        v = parameters[0]
        with torch.no_grad():
            difference = (network(inputs) - inputs.flatten(1) @ v.T).abs().max()
        if difference <= 1e-4 * v.norm() * inputs.flatten(1).norm(dim=1).max():
            return v
    raise InputError(
        f"{spec.trainer.name} follows one linear map without bias and two classes; architecture "
        f"{spec.architecture.name!r} on data set {spec.dataset.name!r} is something else: "
        "take such an architecture, or another trainer"
    )
