"""What every theory must do."""

from __future__ import annotations

import math
from collections.abc import Sequence

from normlaw_registry.component import Params
from normlaw_registry.errors import NormlawError
from normlaw_registry.testing.verdict import require
from normlaw_registry.theory import Prediction, Theory


def check_theory(
    theory: Theory,
    params: Params,
    *,
    alphas: Sequence[float] = (1.0, 2.0),
    norms: Sequence[float] = (0.5, 1.0, 2.0),
) -> None:
    """Predict a small grid; check the order, the range of errors, repetition and the refusal of nonsense.

    Each pair solved alone must agree with the grid to 1e-6, a load below zero must be refused by
    `InputError` or `NormlawError`, and references must answer errors in [0, 1].
    """
    predictions = theory.predict(params, alphas, norms)
    pairs = [(alpha, norm) for alpha in alphas for norm in norms]
    require(
        theory,
        len(predictions) == len(pairs),
        f"{len(alphas)} loads and {len(norms)} norms need {len(pairs)} predictions, got {len(predictions)}",
    )
    for prediction, (alpha, norm) in zip(predictions, pairs, strict=True):
        _check_prediction(theory, prediction, alpha, norm)
    (alone,) = theory.predict(params, alphas[-1:], norms[-1:])
    require(
        theory,
        math.isclose(alone.error, predictions[-1].error, rel_tol=1e-6),
        f"the error at alpha = {alphas[-1]}, norm = {norms[-1]} depends on what else is asked for: "
        f"{predictions[-1].error!r} in a grid, {alone.error!r} alone",
    )
    for name, reference in theory.references.items():
        for alpha in alphas:
            error = reference(alpha)
            require(
                theory,
                isinstance(error, float) and 0 <= error <= 1,
                f"reference {name!r} must return an error in [0, 1], got {error!r} at alpha = {alpha}",
            )
    try:
        theory.predict(params, [-1.0], norms[:1])
    except NormlawError:
        return
    require(theory, False, "a load below zero must be refused by raising InputError")


def _check_prediction(theory: Theory, prediction: Prediction, alpha: float, norm: float) -> None:
    require(
        theory,
        isinstance(prediction, Prediction),
        f"`predict` must return Prediction objects, got {type(prediction).__name__}",
    )
    require(
        theory,
        (prediction.alpha, prediction.norm) == (alpha, norm),
        f"expected the prediction at alpha = {alpha}, norm = {norm}, got that at {prediction.alpha}, "
        f"{prediction.norm}: loads are outermost, norms innermost",
    )
    require(
        theory,
        isinstance(prediction.error, float) and 0 <= prediction.error <= 1,
        f"the error at alpha = {alpha}, norm = {norm} must be a fraction in [0, 1], got {prediction.error!r}",
    )
    for name, value in prediction.order_parameters.items():
        require(
            theory,
            isinstance(value, float) and math.isfinite(value),
            f"order parameter {name!r} must be a finite float, got {value!r}",
        )
