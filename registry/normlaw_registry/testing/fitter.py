"""What every fitter must do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from normlaw_registry.component import Params
from normlaw_registry.errors import ComponentError, InputError
from normlaw_registry.fit_result import PARTS, FitResult
from normlaw_registry.fitter import LAW_EXPONENT, Fitter, Law
from normlaw_registry.testing.verdict import require

if TYPE_CHECKING:
    import pandas as pd

SIZES = (100, 200, 400, 800, 1600, 3200)
SEEDS = 4
NOISE = 0.01
"""Standard deviation of the points' logarithms."""


def check_fitter(
    fitter: Fitter, params: Params, *, exponent: float = 0.6, points: pd.DataFrame | None = None
) -> None:
    """Fit points that obey the fitter's law with a known exponent; check the result and its refusals.

    The points follow a power law. A fitter of a form that no power law is a case of is given `points` of its
    own form, of scatter `NOISE`, with `exponent` the value that it should report for them. The exponent must
    be recovered within five of its standard errors and within 0.05; the result must have all that
    `FitResult` names and pass through JSON unchanged; a single point must be refused by `InputError`.
    """
    if points is None:
        points = synthetic_points(fitter.law, exponent)
    given = points.copy()
    result = fitter.fit(points, params)
    require(fitter, points.equals(given), "`fit` changes the points that it is given: work on a copy")
    require(
        fitter, isinstance(result, FitResult), f"`fit` must return a FitResult, it lacks {_lacking(result)}"
    )
    _check_estimates(fitter, result, exponent)
    _check_intervals(fitter, result)
    _check_predictions(fitter, result, points)
    _check_prediction_limits(fitter, result, points)
    _check_texts(fitter, result)
    again = fitter.fit(points, params)
    same = again.params.equals(result.params) and again.bse.equals(result.bse)
    require(fitter, same, "two fits of the same points differ: give random draws a fixed seed")
    try:
        fitter.fit(points.head(1), params)
    except ComponentError:
        raise
    except InputError:
        return
    require(fitter, False, "one point is too few for any law: raise InputError that says how many are needed")


def synthetic_points(law: Law, exponent: float) -> pd.DataFrame:
    """Return points that obey the law with that exponent and lognormal noise of standard deviation `NOISE`.

    Six train sizes with four runs each; the early law has 12 points a run, from norm 1 to the norm that grows
    as the train size.
    """
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for size in SIZES:
        for seed in range(SEEDS):
            run = f"P{size}-seed{seed}"
            if law == "early_law":
                rows += [
                    {"run": run, "train_size": size, "log_norm": x, "log_error": np.log(0.5) - exponent * x}
                    for x in np.linspace(0.0, np.log(size), 12)
                ]
            elif law == "optimal_norm":
                rows.append({"run": run, "train_size": size, "log_norm": 1.0 + exponent * np.log(size)})
            else:
                rows.append({"run": run, "train_size": size, "log_error": 0.5 - exponent * np.log(size)})
    frame = pd.DataFrame(rows)
    response = "log_norm" if law == "optimal_norm" else "log_error"
    frame[response] += NOISE * generator.standard_normal(len(frame))
    return frame


def _lacking(result: object) -> str:
    return ", ".join(name for name in PARTS if not hasattr(result, name)) or "nothing"


def _check_estimates(fitter: Fitter, result: FitResult, exponent: float) -> None:
    import numpy as np

    name = LAW_EXPONENT[fitter.law]
    require(
        fitter,
        name in result.params.index,
        f"a fitter of the {fitter.law} must report {name!r}; its parameters are {list(result.params.index)}",
    )
    require(
        fitter,
        list(result.bse.index) == list(result.params.index),
        "`bse` must have the same parameters as `params`, in the same order",
    )
    finite = np.isfinite(result.params).all() and np.isfinite(result.bse).all() and (result.bse >= 0).all()
    require(fitter, finite, "estimates must be finite and standard errors not negative")
    estimate, error = float(result.params[name]), float(result.bse[name])
    off = abs(estimate - exponent)
    require(
        fitter,
        off <= 0.05 and off <= 5 * error,
        f"points made with {name} = {exponent} gave {estimate:.4f} +- {error:.4f}: check the sign (the paper's "
        "exponents are positive), natural logs, and the standard error",
    )


def _check_intervals(fitter: Fitter, result: FitResult) -> None:
    import numpy as np

    limits: dict[float, Any] = {}
    for alpha in (0.05, 0.5):
        frame = result.conf_int(alpha=alpha)
        require(
            fitter,
            [str(column) for column in frame.columns] == ["0", "1"]
            and list(frame.index) == list(result.params.index),
            "`conf_int` must have a row a parameter and the columns 0 (lower) and 1 (upper)",
        )
        limits[alpha] = frame.to_numpy(dtype=np.float64)  # (parameters, 2)
    row = list(result.params.index).index(LAW_EXPONENT[fitter.law])
    (low, high), (inner_low, inner_high) = limits[0.05][row], limits[0.5][row]
    require(
        fitter,
        low <= inner_low <= inner_high <= high and high - low > inner_high - inner_low,
        f"intervals of {LAW_EXPONENT[fitter.law]} do not nest, {low} to {high} at alpha = 0.05 and "
        f"{inner_low} to {inner_high} at 0.5: lower limits come first, `conf_int(alpha)` has level 1 - alpha",
    )
    require(
        fitter,
        low <= float(result.params.iloc[row]) <= high,
        f"the 95 % interval of {LAW_EXPONENT[fitter.law]} does not hold its estimate",
    )


def _check_predictions(fitter: Fitter, result: FitResult, points: pd.DataFrame) -> None:
    import numpy as np

    response = "log_norm" if fitter.law == "optimal_norm" else "log_error"
    predicted = np.asarray(result.predict(points))
    require(
        fitter,
        predicted.shape == (len(points),),
        f"`predict` must return one value a point, ({len(points)},), got {predicted.shape}",
    )
    worst = float(np.abs(predicted - points[response].to_numpy()).max())
    require(
        fitter,
        worst < 10 * NOISE,
        f"`predict` must return the natural log of the response: it is off {response} by up to {worst:.3g}, "
        f"while the points scatter by {NOISE}",
    )
    require(
        fitter,
        1 < int(result.nobs) <= len(points),
        f"`nobs` must be the number of points fitted, at most {len(points)}, got {result.nobs}",
    )


def _check_prediction_limits(fitter: Fitter, result: FitResult, points: pd.DataFrame) -> None:
    import numpy as np

    if not hasattr(result, "prediction_interval"):  # none of the base class: limits for one more run are NaN
        return
    centre = np.asarray(result.predict(points))
    wide, narrow = (
        np.asarray(result.prediction_interval(points, alpha=alpha), dtype=np.float64) for alpha in (0.05, 0.5)
    )
    shape = (len(points), 2)
    require(
        fitter,
        wide.shape == narrow.shape == shape,
        f"`prediction_interval` must return a row a point, {shape}: lower and upper limit; got {wide.shape}",
    )
    known = np.isfinite(wide).all() or np.isnan(wide).all()
    ordered = (wide[:, 0] < narrow[:, 0]) & (narrow[:, 0] <= centre)
    ordered &= (centre <= narrow[:, 1]) & (narrow[:, 1] < wide[:, 1])
    require(
        fitter,
        known and (np.isnan(wide).all() or bool(ordered.all())),
        "limits of `prediction_interval` must hold `predict`, lower first, and be wider at a higher level; "
        "all NaN where the scatter of one more run is not known",
    )


def _check_texts(fitter: Fitter, result: FitResult) -> None:
    summary = result.summary()
    require(
        fitter,
        isinstance(summary, str) and LAW_EXPONENT[fitter.law] in summary,
        f"`summary` must return a str that shows {LAW_EXPONENT[fitter.law]}, got {type(summary).__name__}",
    )
    kept = result.to_dict()
    try:
        again = json.loads(json.dumps(kept, allow_nan=False))
    except (TypeError, ValueError) as error:
        require(fitter, False, f"`to_dict` must hold JSON's own types, finite: {error}")
    require(
        fitter,
        again == kept,
        "`to_dict` changes on its way through JSON: write lists for tuples, and text for keys",
    )
