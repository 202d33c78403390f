"""Diagonal linear networks: the exact risk of what gradient flow finds, at every load and initial scale."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10, sqrt
from typing import Any

from pydantic import Field, model_validator

from normlaw_registry import Axis, Counterpart, Grid, InputError, Observable, Params, Point, Reference, Theory

DELTA_RANGE = (1e-3, 0.999)
SCALE_RANGE = (1e-64, 1e4)
POWER_RANGE = (-250.0, 100.0)
"""log10 of c = a^D: what float64 has room for."""
INTERPOLATED = 1e-5
"""Training loss up to which a run has come to its interpolator, of targets of variance 1 and their noise."""


class DiagonalParams(Params):
    """The network, and the teacher that it learns from."""

    depth: int = Field(2, ge=2, le=10, description="D: the weights enter as their D-th power")
    sparsity: float = Field(
        0.1,
        ge=1e-4,
        le=1.0,
        description="rho: fraction of the teacher's entries that are not 0; those are +-1/sqrt(rho)",
    )
    noise: float = Field(
        0.0,
        ge=0.0,
        le=1e3,
        description="sigma: standard deviation of the labels' noise; or give noise_variance, its square",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_variance(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "noise_variance" not in values:
            return values
        if "noise" in values:
            raise ValueError("give one of noise and noise_variance, its square")
        rest = {key: value for key, value in values.items() if key != "noise_variance"}
        try:
            variance = float(values["noise_variance"])
        except (TypeError, ValueError):
            variance = -1.0
        if isinstance(values["noise_variance"], bool) or not variance >= 0.0:
            raise ValueError(f"noise_variance is a number from 0 on, got {values['noise_variance']!r}")
        return {**rest, "noise": sqrt(variance)}


def solve(params: DiagonalParams, grid: Grid) -> list[Point]:
    """Solve every pair of a load and an initial scale; `theories.diagonal` has the equations.

    Raises:
        InputError: a^depth is beyond what float64 has room for.
        NormlawError: no fixed point with a residual below 1e-10 was found; names delta and the scale.

    """
    deltas, scales = list(grid["delta"]), list(grid["initial_scale"])
    if not deltas or not scales:
        return []
    for scale in scales:
        if not POWER_RANGE[0] <= params.depth * log10(scale) <= POWER_RANGE[1]:
            raise InputError(
                f"diagonal_network: initial_scale^depth = 10^{params.depth * log10(scale):.0f} is outside "
                f"[10^{POWER_RANGE[0]:.0f}, 10^{POWER_RANGE[1]:.0f}]; ask for scales nearer to 1"
            )
    from normlaw_plugins.theories.diagonal.fixed_point import solve as solve_risk

    risk = solve_risk(params.depth, params.sparsity, params.noise, deltas, scales)
    return [
        {
            "test_loss": float(risk.excess[i, j]),
            "noisy_test_loss": float(delta * risk.tau[i, j] ** 2),
            "norm": float(risk.weight_moment[i, j] ** 0.5),
            "predictor_l2": float(risk.second_moment[i, j] ** 0.5),
            "predictor_l1": float(risk.first_moment[i, j]),
            "theta": float(risk.theta[i, j]),
            "tau": float(risk.tau[i, j]),
        }
        for i, delta in enumerate(deltas)
        for j in range(len(scales))
    ]


def least_l2(params: Any, held: Point) -> float:
    """Return the excess error of the interpolator of least l2 norm, the limit of large scales."""
    from normlaw_plugins.theories.diagonal import limits

    return limits.least_l2(held["delta"], params.noise)


def least_l1(params: Any, held: Point) -> float:
    """Return the excess error of the interpolator of least l1 norm, the limit of small scales."""
    from normlaw_plugins.theories.diagonal import limits

    return limits.least_l1(held["delta"], params.sparsity, params.noise)


def of_run(run: Mapping[str, str]) -> Counterpart | None:
    """Return where the theory has a network of this architecture on sparse targets, by gradient descent.

    It knows the end alone: a run counts from a training loss of `INTERPOLATED` on. The norm is not compared: at
    large initial scales the finite steps of a descent move it by more than it differs between seeds.
    """
    wanted = {
        "architecture": "diagonal",
        "dataset": "sparse_regression",
        "loss": "squared",
        "trainer.name": "descent",
        "optimizer.name": "sgd",
    }
    if any(run.get(name) != value for name, value in wanted.items()):
        return None
    if any(float(run.get(f"optimizer.{name}", 0.0)) for name in ("momentum", "weight_decay")):
        return None
    examples, dimension = int(run["train_size"]), int(run["dataset.dimension"])
    every_step_takes_all = int(run["batch_size"]) >= examples and run.get("sampling", "epochs") == "epochs"
    if not every_step_takes_all or not DELTA_RANGE[0] <= examples / dimension <= DELTA_RANGE[1]:
        return None
    params = {
        "depth": int(run["architecture.depth"]),
        "sparsity": round(float(run["dataset.sparsity"]) * dimension) / dimension,
        "noise": sqrt(float(run["dataset.noise_variance"])),
    }
    held = {"delta": examples / dimension, "initial_scale": float(run["architecture.initial_scale"])}
    reads = {"test_loss": ("test/loss", 1.0)}
    return Counterpart(params=params, held=held, reads=reads, ends_below={"train/loss": INTERPOLATED})


DIAGONAL_NETWORK = Theory(
    name="diagonal_network",
    summary="Diagonal linear network from kernel to rich regime: exact risk of what gradient flow finds",
    source="Woodworth et al. 2020 (arXiv 2002.09277), theorem 1 for the bias; risk as in Bayati and Montanari "
    "2012 (arXiv 1008.2581)",
    formula=r"\delta \tau^2 = \sigma^2 + \mathbb{E} \left( h(\beta^* + \tau Z) - \beta^* \right)^2, \quad "
    r"\mathbb{E} \, h'(\beta^* + \tau Z) = \delta",
    params=DiagonalParams,
    solve=solve,
    of_run=of_run,
    axes=(
        Axis(
            name="delta",
            meaning="load, training examples per dimension, below 1",
            unit="n/d",
            role="load",
            low=DELTA_RANGE[0],
            high=DELTA_RANGE[1],
            tried=(0.25, 0.5),
        ),
        Axis(
            name="initial_scale",
            meaning="value a that all weights start from",
            role="initial_scale",
            low=SCALE_RANGE[0],
            high=SCALE_RANGE[1],
            tried=(0.05, 0.5, 3),
        ),
    ),
    observables=(
        Observable(name="test_loss", meaning="excess error, mean of (beta - beta*)^2 an entry", low=0.0),
        Observable(name="noisy_test_loss", meaning="the same with the noise of the test labels", low=0.0),
        Observable(name="norm", meaning="norm of the weights, sqrt((|w+|^2 + |w-|^2)/d)", low=0.0),
        Observable(name="predictor_l2", meaning="|beta|_2/sqrt(d)", low=0.0),
        Observable(name="predictor_l1", meaning="|beta|_1/d", low=0.0),
        Observable(name="theta", meaning="strength of the bias that a whole data set exerts", low=0.0),
        Observable(name="tau", meaning="standard deviation of the effective noise", low=0.0),
    ),
    compared={
        "least_l2": Reference(
            observable="test_loss",
            meaning="interpolator of least l2 norm, the limit of large initial scales",
            axes=("delta",),
            value=least_l2,
        ),
        "least_l1": Reference(
            observable="test_loss",
            meaning="interpolator of least l1 norm, the limit of small initial scales",
            axes=("delta",),
            value=least_l1,
        ),
    },
)
