"""What every protocol of analysis must do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

from normlaw_registry.component import Params
from normlaw_registry.errors import ComponentError, InputError
from normlaw_registry.findings import Estimate, Findings, PlannedRuns, flaws
from normlaw_registry.host import Catalogue, load_catalogue
from normlaw_registry.host.fitting import context_for
from normlaw_registry.protocol import AnalysisContext, AnalysisProtocol
from normlaw_registry.testing.verdict import require

if TYPE_CHECKING:
    import pandas as pd

SIZES = (1000, 2000, 4000, 8000, 16000, 32000)
SEEDS = 3
POINTS = 24
EXPECTED = {"gamma_1": 0.5, "gamma_2": 0.8, "gamma_pred": 0.4, "gamma_meas": 0.4}
"""The exponents of `synthetic_curves`."""


def check_protocol(
    protocol: AnalysisProtocol,
    params: Params,
    *,
    curves: pd.DataFrame | None = None,
    exponents: Mapping[str, float] | None = None,
    catalogue: Catalogue | None = None,
) -> None:
    """Analyse curves of known laws; check the findings, repetition, limits and the refusal of too little.

    Args:
        protocol: what a hook gives.
        params: its parameters.
        curves: as `normlaw_registry.protocol` describes them; by default `synthetic_curves()`.
        exponents: what gamma_2 and gamma_meas of these curves are; each must be found within 5 of its standard
            errors and within 0.1. With `curves` of one's own and no exponents, nothing is compared.
        catalogue: where its fitters are; by default all that is installed.

    """
    if curves is None:
        curves, exponents = synthetic_curves(), exponents or EXPECTED
    context = analysis_context(protocol, catalogue)
    given = curves.copy()
    found = protocol.analyse(curves, params, context)
    require(protocol, curves.equals(given), "`analyse` changes the curves that it is given: work on a copy")
    for flaw in flaws(found):
        require(protocol, False, flaw)
    _check_estimates(protocol, found, exponents or {})
    _check_texts(protocol, found)
    _check_prediction(protocol, found)
    _check_foresight(protocol, found, curves)
    again = protocol.analyse(curves, params, context)
    require(
        protocol,
        _values(again) == _values(found),
        "two analyses of the same curves differ: give random draws a fixed seed",
    )
    _check_confidence(protocol, found, protocol.analyse(curves, params, replace(context, confidence=0.5)))
    one_size = curves[curves["train_size"] == curves["train_size"].max()].reset_index(drop=True)
    try:
        protocol.analyse(one_size, params, context)
    except ComponentError:
        raise
    except InputError:
        return
    require(
        protocol, False, "one train size is too little for any law: raise InputError that says what it needs"
    )


def analysis_context(
    protocol: AnalysisProtocol, catalogue: Catalogue | None = None, *, confidence: float = 0.95
) -> AnalysisContext:
    """Return what a protocol is handed besides curves and params, with the fitters that it declares.

    Args:
        protocol: what a hook gives.
        catalogue: where its fitters are; by default all that is installed.
        confidence: level of all limits, in [0.5, 1).

    Raises:
        UnknownComponentError: a fitter that it declared is not installed.
        DuplicateComponentError: two plugins claim the name of one.

    """
    return context_for(protocol, catalogue or load_catalogue(), confidence)


def synthetic_curves() -> pd.DataFrame:
    """Return prepared curves that obey the laws with the exponents `EXPECTED`, and a little noise.

    With z = ln(lambda/lambda_opt) and gamma = gamma_1, error ~ lambda^-gamma (1 + gamma e^((1 + gamma) z)),
    which is least at z = 0; lambda_opt grows as P^gamma_2. Six train sizes, three runs each, 24 points a run.
    """
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(0)
    gamma_1, gamma_2 = EXPECTED["gamma_1"], EXPECTED["gamma_2"]
    frames = []
    for size in SIZES:
        for seed in range(SEEDS):
            log_optimum = 10 + gamma_2 * np.log(size / SIZES[0]) + 0.05 * generator.normal()
            log_norm = np.linspace(4.0, log_optimum + 1.5, POINTS)  # (points,)
            rise = np.log1p(gamma_1 * np.exp((1 + gamma_1) * (log_norm - log_optimum)))
            log_error = np.log(0.2) - gamma_1 * (log_norm - 10) + rise  # least ~ P^-(gamma_1 gamma_2)
            log_error = np.minimum(log_error, np.log(0.9)) + 0.003 * generator.normal(size=POINTS)
            frames.append(
                pd.DataFrame(
                    {
                        "run": f"{size}/{seed}",
                        "train_size": size,
                        "seed": seed,
                        "log_norm": log_norm,
                        "test_error": np.exp(log_error),
                        "log_error": log_error,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def _values(found: Findings) -> str:
    return repr({name: estimate.to_dict() for name, estimate in found.estimates().items()})  # NaN equals NaN


def _check_estimates(protocol: AnalysisProtocol, found: Findings, exponents: Mapping[str, float]) -> None:
    for name in ("gamma_2", "gamma_meas"):
        if name not in exponents:
            continue
        estimate = found.estimates()[name]
        if not isfinite(estimate.value):
            continue  # a warning says why, as was checked
        off = abs(estimate.value - exponents[name])
        require(
            protocol,
            off <= 0.1 and off <= max(5 * estimate.stderr, 0.02),
            f"curves made with {name} = {exponents[name]} gave {estimate.value:.4f} +- {estimate.stderr:.4f}: "
            "check the sign (the paper's exponents are positive), natural logs, and the standard error",
        )
    for name, estimate in found.estimates().items():
        require(
            protocol,
            not isfinite(estimate.value) or estimate.low <= estimate.value <= estimate.high,
            f"the interval of {name}, {estimate.low} to {estimate.high}, does not hold its estimate",
        )


def _check_confidence(protocol: AnalysisProtocol, wide: Findings, narrow: Findings) -> None:
    inner = narrow.estimates()
    for name, estimate in wide.estimates().items():
        if not isfinite(estimate.value) or name not in inner or estimate.low == estimate.high:
            continue
        require(
            protocol,
            estimate.high - estimate.low > inner[name].high - inner[name].low,
            f"the interval of {name} is no wider at the level 0.95 than at 0.5: limits must have the level "
            "context.confidence",
        )


def _check_texts(protocol: AnalysisProtocol, found: Findings) -> None:
    try:
        again = json.loads(json.dumps(dict(found.extras), allow_nan=True))
    except (TypeError, ValueError) as error:
        require(protocol, False, f"`extras` must hold JSON's own types: {error}")
    require(
        protocol,
        set(again) == set(found.extras),
        "`extras` changes on its way through JSON: write text for keys",
    )
    require(protocol, all(isinstance(one, str) for one in found.method), "`method` must hold sentences")


def _check_prediction(protocol: AnalysisProtocol, found: Findings) -> None:
    import numpy as np

    if found.predict is None:
        return
    sizes = np.array([2000.0, 8000.0])
    for norms in (None, np.array([9.0, 10.0])):
        table = found.predict(sizes, norms)
        columns = ("log_error_low", "log_error", "log_error_high")
        lacking = [name for name in columns if name not in table.columns]
        require(protocol, not lacking, f"`predict` must return the columns {', '.join(columns)}")
        require(protocol, len(table) == 2, f"`predict` must return a row a train size, 2, got {len(table)}")
        low, value, high = (table[name].to_numpy(dtype="float64") for name in columns)
        ordered = bool(((low <= value) & (value <= high)).all())
        require(protocol, ordered, "`predict`: limits must hold the predicted error")


def _check_foresight(protocol: AnalysisProtocol, found: Findings, curves: pd.DataFrame) -> None:
    if found.foresee is None:
        return
    largest = curves[curves["train_size"] == curves["train_size"].max()]
    norms = largest[largest["run"] == largest["run"].iloc[0]]["log_norm"].to_numpy(dtype="float64")
    more = PlannedRuns(train_size=int(largest["train_size"].iloc[0]), log_norms=tuple(norms), runs=10)
    now, then = (found.foresee(planned, False).get("gamma_pred") for planned in ((), (more,)))
    require(
        protocol,
        isinstance(now, Estimate) and isinstance(then, Estimate),
        "`foresee` must return estimates by name, `gamma_pred` among them",
    )
    if now is None or then is None or not isfinite(found.gamma_pred.stderr):
        return
    as_found = abs((now.high - now.low) - (found.gamma_pred.high - found.gamma_pred.low)) <= 1e-6
    require(protocol, as_found, "`foresee` of no runs must return the interval that was found")
    require(protocol, then.stderr <= now.stderr, "`foresee`: ten further runs must not add to the error")
