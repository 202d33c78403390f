"""Random features of a power-law spectrum: the exact loss and norm at every time and number of examples."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isinf
from typing import Literal

from pydantic import ConfigDict, Field, field_validator

from normlaw_registry import Axis, Grid, InputError, Observable, Params, Point, Reference, Theory

LATEST = 1e12
"""The latest finite time that the sums over modes are good for."""


class RandomFeaturesParams(Params):
    """The spectrum, the student and how it is trained."""

    model_config = ConfigDict(allow_inf_nan=True, ser_json_inf_nan="strings")

    a: float = Field(1.5, gt=1, le=10, description="decay of the target: lam_k w_k^2 = k^-a")
    b: float = Field(1.25, gt=1, le=10, description="decay of the spectrum: lam_k = k^-b")
    modes: float = Field(inf, ge=1, description="modes M, a whole number or inf")
    width: float = Field(inf, ge=1, description="features N, or inf")
    noise_variance: float = Field(0.0, ge=0, le=1e6, description="variance sigma^2 of the labels' noise")
    dynamics: Literal["gradient_flow", "gradient_descent", "one_pass_sgd"] = Field(
        "gradient_flow", description="how it is trained; in discrete steps time is learning_rate times steps"
    )
    learning_rate: float = Field(0.1, gt=0, le=100, description="eta, of discrete steps")
    batch_size: int = Field(1, ge=1, description="B, examples of a step of one_pass_sgd")

    @field_validator("modes")
    @classmethod
    def _whole(cls, value: float) -> float:
        if not isinf(value) and value != round(value):
            raise ValueError(f"modes are a whole number or inf, got {value:g}")
        return value


def solve(params: RandomFeaturesParams, grid: Grid) -> list[Point]:
    r"""Solve gradient flow, gradient descent or one-pass SGD; `theories.features` has the equations.

    $$z = \kappa \left(1 - \frac{S(\kappa)}{P}\right) \left(1 - \frac{S(\kappa)}{N}\right), \qquad
    S(\kappa) = \sum_k \frac{\lambda_k}{\kappa + \lambda_k}$$

    Raises:
        InputError: a time is no whole number of steps, too late, or has no limit.
        NormlawError: a value could not be found to 1e-8 of itself.

    """
    import numpy as np

    from normlaw_plugins.theories.features.flow import evolve
    from normlaw_plugins.theories.features.modes import power_law
    from normlaw_plugins.theories.features.one_pass import one_pass
    from normlaw_plugins.theories.features.roots import Kernel

    times = np.array(grid["time"], dtype=float)
    rate = None if params.dynamics == "gradient_flow" else params.learning_rate
    _require(times.tolist(), rate)
    modes = power_law(params.a, params.b, params.modes)
    points: list[Point] = []
    for examples in grid["examples"]:
        kernel = Kernel(modes, float(examples), params.width)
        if not len(times):
            continue
        if params.dynamics == "one_pass_sgd":
            if not isinf(examples):
                raise InputError(
                    "random_features: one_pass_sgd never sees an example twice: it is solved at examples=inf, "
                    "and has seen batch_size times time/learning_rate of them"
                )
            steps = np.round(times / params.learning_rate)
            found = one_pass(kernel, params.noise_variance, steps, params.learning_rate, params.batch_size)
        else:
            found = evolve(kernel, params.noise_variance, times, rate)
        norms = np.sqrt(np.maximum(found["norm2"], 0.0))
        points += [
            {"test_loss": float(test), "train_loss": float(train), "norm": float(norm)}
            for test, train, norm in zip(found["test_loss"], found["train_loss"], norms, strict=True)
        ]
    return points


def _require(times: list[float], rate: float | None) -> None:
    """Refuse times that the dynamics does not have."""
    for time in times:
        if isinf(time):
            continue
        if time > LATEST:
            raise InputError(
                f"random_features: time = {time:g} is later than {LATEST:g}: ask for the limit, time=inf"
            )
        if rate is not None and abs(time / rate - round(time / rate)) > 1e-6 * max(1.0, time / rate):
            raise InputError(
                f"random_features: time = {time:g} is no whole number of steps of learning_rate = {rate:g}: "
                "time is learning_rate times steps"
            )


def at(observable: str, **fixed: float) -> Callable[[RandomFeaturesParams, Point], float]:
    """Return an observable as a function of params and one axis, the other one fixed."""

    def value(params: RandomFeaturesParams, held: Point) -> float:
        grid = {name: [number] for name, number in {**fixed, **held}.items()}
        return solve(params, grid)[0][observable]

    return value


def bayes(params: RandomFeaturesParams, held: Point) -> float:
    """Return the least mean test loss of any predictor, for w_k ~ N(0, k^-a/lam_k)."""
    from normlaw_plugins.theories.features.bayes import least_error

    return least_error(params.a, params.modes, held["examples"], params.noise_variance)


RANDOM_FEATURES: Theory[RandomFeaturesParams] = Theory(
    name="random_features",
    summary="Random features with power-law spectra, trained in time: exact losses and norm",
    source="Bordelon, Atanasov, Pehlevan 2024 (arXiv 2402.01092), derived anew",
    formula=r"z = \kappa \left(1 - \frac{S(\kappa)}{P}\right) \left(1 - \frac{S(\kappa)}{N}\right), \qquad "
    r"S(\kappa) = \sum_k \frac{\lambda_k}{\kappa + \lambda_k}",
    params=RandomFeaturesParams,
    axes=(
        Axis(
            name="examples",
            meaning="training examples P, or inf",
            role="examples",
            low=1.0,
            tried=(100.0, 1000.0),
        ),
        Axis(
            name="time",
            meaning="time t of gradient flow at rate 1, learning rate times steps; or inf",
            role="time",
            tried=(1.0, 10.0, 100.0),
        ),
    ),
    observables=(
        Observable(name="test_loss", meaning="mean square error without the labels' noise", low=0.0),
        Observable(name="train_loss", meaning="mean square error on the training examples", low=0.0),
        Observable(name="norm", meaning="norm |v| of the trained weights", low=0.0),
    ),
    solve=solve,
    compared={
        "ridgeless": Reference(
            observable="test_loss",
            meaning="test loss at infinite time, of the least squares solution of least norm",
            axes=("examples",),
            value=at("test_loss", time=inf),
        ),
        "bayes": Reference(
            observable="test_loss",
            meaning="least mean test loss of any predictor from these examples, targets being normal",
            axes=("examples",),
            value=bayes,
        ),
        "infinite_examples": Reference(
            observable="test_loss",
            meaning="test loss at this time if examples were infinite",
            axes=("time",),
            value=at("test_loss", examples=inf),
        ),
    },
)
