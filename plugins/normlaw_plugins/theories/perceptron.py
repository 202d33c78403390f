"""The teacher-student perceptron: its exact error at every load and norm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, inf, isfinite, log
from typing import Literal

from pydantic import Field

from normlaw_registry import Axis, InputError, Observable, Params, Prediction, Theory

ALPHA_RANGE = (0.1, 1e4)
NORM_RANGE = (1e-4, 1e4)
LARGEST_LOG = 709.0
"""e^709 is about the largest float64."""


class PerceptronParams(Params):
    """What the student minimises at fixed norm."""

    loss: Literal["logistic", "square", "hinge"] = Field(
        "logistic",
        description="loss of the scaled margin z = lambda D: log(1 + e^(-2z)), (1 - z)^2/2 or max(0, 1 - z)",
    )


def predict(params: PerceptronParams, alphas: Sequence[float], norms: Sequence[float]) -> list[Prediction]:
    """Solve every pair; `theories.replica` has the equations.

    Order parameters: `overlap` R; `chi`, the susceptibility, infinite where float64 cannot hold it; `ln_chi`.

    Raises:
        InputError: a value is outside ALPHA_RANGE or NORM_RANGE, or many students reach zero loss there.
        NormlawError: no solution with a residual below 1e-10 was found; names alpha and lambda.

    """
    from normlaw_plugins.theories.replica.domain import largest_norm
    from normlaw_plugins.theories.replica.losses import LOSSES
    from normlaw_plugins.theories.replica.saddle_point import solve

    for alpha in alphas:
        require("alpha", alpha, ALPHA_RANGE)
    for norm in norms:
        require("lambda", norm, NORM_RANGE)
    if len(alphas) == 0 or len(norms) == 0:  # may be arrays
        return []
    for alpha in alphas:
        bound = largest_norm(params.loss, alpha)
        for norm in norms:
            if norm >= bound:
                raise InputError(
                    f"perceptron, {params.loss} loss, alpha = {alpha:g}, lambda = {norm:g}: from lambda = "
                    f"{bound:.6g} on many students reach zero loss, so that the error is not defined; "
                    f"ask for smaller lambda"
                )
    solution = solve(LOSSES[params.loss], alphas, norms)
    predictions = []
    for i, alpha in enumerate(alphas):
        for j, norm in enumerate(norms):
            log_chi = float(solution.log_c[i, j]) - log(norm)
            order = {
                "overlap": float(solution.overlap[i, j]),
                "chi": exp(log_chi) if log_chi < LARGEST_LOG else inf,
                "ln_chi": log_chi,
            }
            predictions.append(
                Prediction(
                    alpha=float(alpha),
                    norm=float(norm),
                    error=float(solution.error[i, j]),
                    order_parameters=order,
                )
            )
    return predictions


def require(name: str, value: float, allowed: tuple[float, float]) -> None:
    """Refuse a value outside the range that the solver was tested on."""
    if not isfinite(value) or not allowed[0] <= value <= allowed[1]:
        raise InputError(
            f"perceptron: {name} = {value:g} is outside [{allowed[0]:g}, {allowed[1]:g}], "
            "the range that the solver is tested on"
        )


def rule(name: str) -> Callable[[float], float]:
    """Return a rule of `replica.limits` as a function of alpha that checks its argument and imports late."""

    def error(alpha: float) -> float:
        from normlaw_plugins.theories.replica import limits

        require("alpha", alpha, ALPHA_RANGE)
        return float(getattr(limits, name)(float(alpha)))

    error.__doc__ = f"Return the generalisation error of the rule {name!r} at load alpha."
    return error


def least_error(alpha: float) -> float:
    """Return the least error over the norm for the logistic loss; slightly above the Bayes-optimal one."""
    from normlaw_plugins.theories.replica import optimum
    from normlaw_plugins.theories.replica.losses import LOSSES

    require("alpha", alpha, ALPHA_RANGE)
    return optimum.least_error(LOSSES["logistic"], float(alpha)).error


PERCEPTRON = Theory(
    name="perceptron",
    summary="Perceptron learning a perceptron at fixed weight norm (replica-symmetric, exact)",
    source="D'Amico, Bocchi, Negri 2025 (arXiv 2505.13230), sec. 2; Engel and Van den Broeck 2001, ch. 4",
    formula=r"\varepsilon(\alpha, \lambda) = \frac{1}{\pi} \arccos R(\alpha, \lambda)",
    params=PerceptronParams,
    predict=predict,
    axes=(
        Axis(
            name="alpha",
            meaning="load, training examples per weight",
            unit="P/N",
            role="load",
            low=ALPHA_RANGE[0],
            high=ALPHA_RANGE[1],
            tried=(1, 2),
        ),
        Axis(
            name="lambda",
            meaning="norm of the weights, in units of the teacher's",
            role="norm",
            low=NORM_RANGE[0],
            high=NORM_RANGE[1],
            tried=(0.5, 1, 2),
        ),
    ),
    observables=(
        Observable(name="test_error", meaning="generalisation error, a fraction", low=0.0, high=1.0),
        Observable(name="overlap", meaning="cosine between student and teacher, R", low=-1.0, high=1.0),
        Observable(name="chi", meaning="susceptibility of the solution", low=0.0),
        Observable(name="ln_chi", meaning="its natural log, which never overflows"),
    ),
    references={
        "hebb": rule("hebb"),
        "maximum_stability": rule("maximum_stability"),
        "bayes_optimal": rule("bayes_optimal"),
        "gibbs": rule("gibbs"),
        "least_error": least_error,
    },
)
