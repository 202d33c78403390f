"""Random features of a power-law spectrum: the exact loss and norm at every time and number of examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf, isinf
from typing import Literal

from pydantic import ConfigDict, Field, field_validator

from normlaw_registry import Axis, Counterpart, Grid, InputError, Observable, Params, Point, Reference, Theory

LATEST = 1e12
"""The latest finite time that the sums over modes are good for."""
SMALL_START = 1e-4
"""Norm of a network's first weights up to which it starts at 0, as the theory has it."""


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


def of_run(run: Mapping[str, str]) -> Counterpart | None:
    """Return where the theory has a network of this architecture on data of these spectra, trained by SGD.

    The squared loss has no factor 1/2, so that time is twice the learning rate times steps.
    """
    wanted = {
        "architecture": "random_features",
        "dataset": "power_law_regression",
        "loss": "squared",
        "trainer.name": "descent",
        "optimizer.name": "sgd",
        "learning_rate_schedule.name": "constant",
    }
    if any(run.get(name) != value for name, value in wanted.items()):
        return None
    if any(float(run.get(f"optimizer.{name}", 0.0)) for name in ("momentum", "weight_decay")):
        return None
    batch, examples = int(run["batch_size"]), float(run["train_size"])
    once = run.get("sampling") == "one_pass"
    if float(run["architecture.init_norm"]) > SMALL_START or (batch < examples and not once):
        return None
    rate, width = 2.0 * float(run["optimizer.learning_rate"]), run.get("architecture.width", "None")
    params = {
        **{name: float(run[f"dataset.{name}"]) for name in ("a", "b", "modes", "noise_variance")},
        "width": inf if width == "None" else float(width),
        "dynamics": "one_pass_sgd" if once else "gradient_descent",
        "learning_rate": rate,
        **({"batch_size": batch} if once else {}),
    }
    reads = {
        "test_loss": ("test/loss", 1.0),
        "train_loss": ("train/loss", 1.0),
        "norm": ("log_norm/weight_norm", 1.0),
    }
    held = {"examples": inf if once else examples}
    return Counterpart(params=params, held=held, axis="time", per_step=rate, reads=reads)


def exponents(params: RandomFeaturesParams) -> dict[str, float]:
    """Return the exponents of the laws in the norm at infinite width with noisy labels.

    Raises:
        InputError: they have none.

    """
    a, b = params.a, params.b
    if not isinf(params.width) or params.noise_variance == 0.0 or params.dynamics == "one_pass_sgd":
        raise InputError(
            "the laws' exponents are known for infinite width, noisy labels and examples used again"
        )
    if a >= 1 + b:
        raise InputError(f"a = {a:g} is not below 1 + b = {1 + b:g}: the norm converges while the loss falls")
    return {
        "gamma_1": 2 * (a - 1) / (1 + b - a),
        "gamma_2": (1 + b - a) / (2 * a),
        "gamma_pred": (a - 1) / a,
    }


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
    of_run=of_run,
    exponents=exponents,
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
