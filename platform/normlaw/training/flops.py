"""What a training example costs: floating-point operations, counted and not timed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normlaw_registry import Architecture, Catalogue, Dataset, validate_params

if TYPE_CHECKING:
    from normlaw.study.spec import RunSpec

EXAMPLES = 2
BACKWARD = 2
"""Passes that a backward one costs: gradients of the weights, and of what is before them."""


def flops_per_example(spec: RunSpec, catalogue: Catalogue) -> float | None:
    """Return the floating-point operations of one training example, forward and backward.

    Those of matrix products and convolutions in a forward pass, as torch counts them (a multiplication and an
    addition are two), times three: 6 for each weight of a linear layer.

    Returns:
        None where it is not known: of a path in the norm, which has no steps, and of a data set that tells
        nothing without its files.

    Raises:
        ComponentError: the network or the data set is not installed.
        InputError: the network is for another kind of task.

    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from normlaw.training.data import require_kind
    from normlaw_registry.made_up import blank_inputs

    dataset = catalogue.get(Dataset, spec.dataset.name)
    if spec.follows_norm or dataset.info is None:
        return None
    task = dataset.info(validate_params(dataset, spec.dataset.params)).task
    require_kind(spec, catalogue, task)
    architecture = catalogue.get(Architecture, spec.architecture.name)
    params = validate_params(architecture, spec.architecture.params)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        network = architecture.build(params, task).eval()
        with FlopCounterMode(display=False) as counter:
            network(blank_inputs(task, EXAMPLES))  # (b, *input_shape)
    return (1 + BACKWARD) * float(counter.get_total_flops()) / EXAMPLES
