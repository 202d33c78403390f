"""Exact learning curves as a job: solved, as rows, and logged to MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from normlaw_registry import InputError, Params, Prediction, Theory, load_catalogue, validate_params


def solve(
    name: str, values: Mapping[str, Any], alphas: Sequence[float], norms: Sequence[float]
) -> tuple[Theory, Params, Sequence[Prediction]]:
    """Return the theory of a name, its checked parameters, and its predictions, loads outermost.

    Raises:
        InputError: no such theory, or a parameter, load or norm is out of range.

    """
    theory = load_catalogue().get(Theory, name)
    params = validate_params(theory, values)
    return theory, params, theory.predict(params, alphas, norms)


def log_curves(
    component: Theory,
    params: Params,
    predictions: Sequence[Prediction],
    study: str,
    dimension: int,
    tracking_uri: str | None,
) -> tuple[int, int]:
    """Log each load's curve, and what it is to be compared with, as a run of the study.

    Returns:
        How many curves were logged, and how many were there already.

    Raises:
        InputError: a load is no whole number of examples at this dimension, or no server answers.

    """
    from normlaw.tracking.client import connect
    from normlaw.tracking.theory_log import TheoryCurve, log_theory, open_study

    curves = []
    for alpha in dict.fromkeys(prediction.alpha for prediction in predictions):
        train_size = round(alpha * dimension)
        if abs(train_size - alpha * dimension) > 1e-6 * train_size:
            raise InputError(
                f"alpha = {alpha:g} at dimension {dimension} is {alpha * dimension:g} training examples, "
                "not a whole number: choose loads alpha = P/N, or another --dimension"
            )
        curve = {prediction.norm: prediction for prediction in predictions if prediction.alpha == alpha}
        curves.append(
            TheoryCurve(
                theory=component.name,
                params=params.model_dump(mode="json"),
                alpha=alpha,
                train_size=train_size,
                predictions=tuple(curve[norm] for norm in sorted(curve)),
                references={name: error(alpha) for name, error in component.references.items()},
            )
        )
    client = connect(tracking_uri)
    logged = log_theory(client, open_study(client, study), curves)
    return logged, len(curves) - logged


def as_rows(predictions: Sequence[Prediction]) -> list[dict[str, float | None]]:
    """Return one object of JSON's own types for each prediction."""
    names = sorted({name for prediction in predictions for name in prediction.order_parameters})
    names.sort(key=lambda name: name != "overlap")  # what the field looks at first
    return [
        {
            "alpha": prediction.alpha,
            "lambda": prediction.norm,
            **{name: finite(prediction.order_parameters.get(name)) for name in names},
            "error": finite(prediction.error),
        }
        for prediction in predictions
    ]


def finite(value: float | None) -> float | None:
    """Return the value, or None where JSON has no number for it."""
    return float(value) if value is not None and isfinite(value) else None
