"""`normlaw theory`: exact learning curves of a solvable model, as rows, and logged to MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from normlaw.study.names import study_name
from normlaw_registry import InputError, Params, Prediction, Theory, load_catalogue, validate_params
from normlaw_registry.errors import brief

if TYPE_CHECKING:
    import pandas as pd

MOST_PAIRS = 100_000
"""Predictions that one call may ask for: half a minute of work for the solvers that come with normlaw."""
LARGEST_SIZE = 10**12
"""Training examples of a run, as in a study."""


@dataclass(frozen=True)
class Solved:
    """Exact curves, and what became of them at MLflow."""

    theory: Theory
    predictions: Sequence[Prediction]
    logged: int = 0
    """Curves that were logged."""
    there: int = 0
    """Curves that MLflow had already."""


def theory(
    name: str,
    alphas: Sequence[float],
    norms: Sequence[float],
    *,
    params: Mapping[str, Any] | None = None,
    study: str | None = None,
    dimension: int = 1000,
    tracking_uri: str | None = None,
) -> pd.DataFrame:
    """Return exact learning curves of a solvable model, a row a pair of load and norm; `normlaw theory`.

    Args:
        name: of the theory.
        alphas: loads P/N.
        norms: norms lambda themselves, not their logs.
        params: its parameters.
        study: log the curves to MLflow too, as runs of the study of this name.
        dimension: with `study`: N, which makes train_size = alpha N.
        tracking_uri: MLflow server.

    Returns:
        Columns alpha, lambda, the theory's order parameters, error.

    Raises:
        InputError: a load, norm or parameter is out of range, or curves cannot be logged as asked.

    """
    import pandas as pd

    found = solved(
        name, alphas, norms, params=params, study=study, dimension=dimension, tracking_uri=tracking_uri
    )
    return pd.DataFrame(as_rows(found.predictions))


def solved(
    name: str,
    alphas: Sequence[float],
    norms: Sequence[float],
    *,
    params: Mapping[str, Any] | None = None,
    study: str | None = None,
    dimension: int = 1000,
    tracking_uri: str | None = None,
) -> Solved:
    """Solve, and log where a study is named; arguments and errors as `theory` has them."""
    if study is not None:  # what cannot be logged is told before it is solved
        from normlaw.tracking.client import check

        train_sizes(study, alphas, dimension)
        check(tracking_uri)
    component, checked, predictions = solve(name, params or {}, alphas, norms)
    if study is None:
        return Solved(component, predictions)
    logged, there = log_curves(component, checked, predictions, study, dimension, tracking_uri)
    return Solved(component, predictions, logged, there)


def solve(
    name: str, values: Mapping[str, Any], alphas: Sequence[float], norms: Sequence[float]
) -> tuple[Theory, Params, Sequence[Prediction]]:
    """Return the theory of a name, its checked parameters, and its predictions, loads outermost.

    Raises:
        InputError: no such theory, a parameter, load or norm is out of range, or there are too many of them.

    """
    if (pairs := len(alphas) * len(norms)) > MOST_PAIRS:
        raise InputError(
            f"{len(alphas)} loads and {len(norms)} norms are {pairs} pairs: "
            f"ask for {MOST_PAIRS} at a time at most"
        )
    theory = load_catalogue().get(Theory, name)
    params = validate_params(theory, values)
    return theory, params, theory.predict(params, alphas, norms)


def train_sizes(study: str, alphas: Sequence[float], dimension: int) -> dict[float, int]:
    """Return each load's number of training examples, after a check that the study can be logged to.

    Raises:
        InputError: a study cannot be called so, or a load is no whole number of examples at this dimension.

    """
    study_name(study)
    if not 1 <= dimension <= LARGEST_SIZE:
        raise InputError(f"the dimension lies between 1 and 10^12, got {brief(dimension)}")
    sizes = {alpha: alpha * dimension for alpha in alphas}
    for alpha, size in sizes.items():
        if not 0.5 < size <= LARGEST_SIZE or abs(round(size) - size) > 1e-6 * size:
            raise InputError(
                f"alpha = {alpha:g} at dimension {dimension} is {size:g} training examples, not a whole number "
                "from 1 to 10^12: choose loads alpha = P/N, or another --dimension"
            )
    return {alpha: round(size) for alpha, size in sizes.items()}


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
        InputError: as `train_sizes` does, or no server answers.

    """
    by_load: dict[float, dict[float, Prediction]] = {}
    for prediction in predictions:
        by_load.setdefault(prediction.alpha, {})[prediction.norm] = prediction
    sizes = train_sizes(study, tuple(by_load), dimension)
    from normlaw.tracking.client import connect
    from normlaw.tracking.theory_log import TheoryCurve, log_theory, open_study

    curves = []
    for alpha, curve in by_load.items():
        curves.append(
            TheoryCurve(
                theory=component.name,
                params=params.model_dump(mode="json"),
                alpha=alpha,
                train_size=sizes[alpha],
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
