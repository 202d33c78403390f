"""Which curve a trained committee is to lie on: that of the very weights that it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

import numpy as np

from normlaw_plugins.theories.committee.averages import Array
from normlaw_plugins.theories.committee.model import Model, Overlaps, overlaps
from normlaw_registry import Counterpart

NETWORK_STREAM = 1
"""Number of a run's stream of random numbers from which the platform seeds torch before it builds a network;
it is part of what a run is, and does not change."""


def of_run(run: Mapping[str, str]) -> Counterpart | None:
    """Return where the theory has a committee that is taught one example a step by SGD.

    The squared loss has no factor 1/2, and the trained weights are J/sqrt(N): eta is 2 N times the rate of SGD.
    """
    wanted = {
        "architecture": "committee",
        "dataset": "committee_teacher",
        "loss": "squared",
        "trainer.name": "descent",
        "optimizer.name": "sgd",
        "learning_rate_schedule.name": "constant",
        "sampling": "one_pass",
        "batch_size": "1",
    }
    if any(run.get(name) != value for name, value in wanted.items()):
        return None
    if any(float(run.get(f"optimizer.{name}", 0.0)) for name in ("momentum", "weight_decay")):
        return None
    K, M, N = int(run["architecture.K"]), int(run["dataset.M"]), int(run["dataset.N"])
    told = run.get("architecture.M", "None")
    if run["architecture.activation"] != run["dataset.activation"] or (K if told == "None" else int(told)) != M:
        return None
    params = {
        "K": K,
        "M": M,
        "N": N,
        "L": int(run["dataset.L"]),
        "beta": float(run["dataset.beta"]),
        "activation": run["dataset.activation"],
        "eta": 2.0 * N * float(run["optimizer.learning_rate"]),
        "initial_size": float(run["architecture.initial_size"]),
        "seed": int(run["seed"]),
        "start": "run",
    }
    reads = {"test_loss": ("test/loss", 0.5), "norm": ("log_norm/weight_norm", 1.0)}
    return Counterpart(params=params, held={}, axis="alpha", per_step=1.0 / N, reads=reads)


def start_of_run(model: Model, N: int, size: float, seed: int) -> Overlaps:
    """Return the overlaps that the run of a seed starts from, of its network and its teacher."""
    from normlaw_plugins.datasets.committee_teacher import teacher

    return overlaps(first_weights(model.K, N, size, seed), teacher(model.M, N, seed), len(model.eigenvalues))


def first_weights(K: int, N: int, size: float, seed: int) -> Array:
    """Return J, (K, N), of the network `committee` with which the run of a seed starts."""
    import torch

    from normlaw_plugins.architectures.hidden_units import Committee

    state = int(np.random.default_rng([NETWORK_STREAM, seed]).integers(2**63 - 1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(state)
        network = Committee(N, K, 1.0, "erf")
        network.draw(size)
    weights: Array = network.hidden.weight.detach().double().numpy() * sqrt(N)
    return weights
