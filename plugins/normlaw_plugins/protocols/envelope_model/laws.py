"""From curves to findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from normlaw_plugins.protocols.envelope_model.crossing import NAMES
from normlaw_plugins.protocols.envelope_model.curves import Drawing
from normlaw_plugins.protocols.envelope_model.depth import depth_of
from normlaw_plugins.protocols.envelope_model.endpoint import endpoint_of
from normlaw_plugins.protocols.envelope_model.exponents import Exponents, exponents_of, without_departure
from normlaw_plugins.protocols.envelope_model.fitting import Fit
from normlaw_plugins.protocols.envelope_model.foresight import Foresight
from normlaw_plugins.protocols.envelope_model.runs import runs_of
from normlaw_plugins.protocols.envelope_model.search import MOST_RUNS, fit, on_all_runs
from normlaw_plugins.protocols.envelope_model.shape import LENGTH
from normlaw_plugins.protocols.envelope_model.verdict import difference_of, judge, norm_falls
from normlaw_plugins.protocols.student import difference_test, estimate_of
from normlaw_registry import AnalysisContext, Estimate, Findings, InputError
from normlaw_registry.curves import chosen_on, falling_runs, mean_curves, run_optima

if TYPE_CHECKING:
    import pandas as pd

DEFINITIONS = {
    "gamma_0": "error ~ P^-gamma_0 at one norm; 0: same for all P",
    "gamma_1": "envelope: error ~ norm^-gamma_1 where curves depart",
    "gamma_2": "departure: norm of leaving the envelope ~ P^gamma_2",
    "gamma_pred": "predicted endpoint law: gamma_0 + gamma_1 * gamma_2",
    "gamma_meas": "measured endpoint law: least error ~ P^-gamma_meas",
    "gamma_1_bend": "ln slope of envelope, last over first; 0: straight",
}

FORETOLD = {name: DEFINITIONS[name] for name in ("gamma_0", "gamma_1", "gamma_2", "gamma_pred")}
"""What further runs are planned for."""
MIN_SIZES = 3
FEWEST_BEFORE, STRETCH = 3, LENGTH / 3
"""Points of a run, and norms in units of x, by which an envelope counts as seen: over a shorter stretch the
prior of its correction says how it goes, and not the curves."""

METHOD = (
    "ln error = c - gamma_0 ln P - G(ln norm) + H(ln norm - gamma_2 ln P), G and H rising: an envelope that "
    "all train sizes share and a departure from it; a shape-constrained additive model behind a link that "
    "saturates at the chance level.",
    "Fitted to all points of all runs as a nonlinear mixed model (Lindstrom and Bates 1990): runs and sizes "
    "have offsets and displacements of their own, and the points of a run are correlated.",
    "Noise of a point: a relative part and one of the test set (of counting errors), from neighbouring points.",
    "All variances, with those that say how smooth G and H are, maximise the marginal likelihood (Laplace); "
    "gamma_0 = 0 and gamma_0 free are both fitted, and the more probable is reported.",
    "Departure norm: where half to seven tenths of the envelope's slope is lost, averaged; the spread counts.",
    "Exponents are mean slopes of the envelope from first to last departure, times what saturation at the "
    "chance level leaves of them between the least errors of the smallest and the largest size.",
    "Errors: the scatter of whole runs (cluster-robust; with one run a size, the model's if that is larger), "
    "in quadrature with the spread over smoothings, priors, departure fractions and other optima of evidence; "
    "limits are those of t.",
    "gamma_meas: random-effects regression of the least ln errors on ln P, with no part of the model.",
)


def laws(curves: pd.DataFrame, context: AnalysisContext) -> Findings:
    """Fit envelope, departure and endpoint law.

    Raises:
        InputError: fewer than three train sizes, or the curves span no norms.

    """
    runs = runs_of(curves, context.response)
    if len(runs.sizes) < MIN_SIZES:
        raise InputError(
            f"an envelope and departures need at least {MIN_SIZES} train sizes, got {len(runs.sizes)}"
        )
    if runs.scale * len(runs.x) <= 1e-8:
        raise InputError("all points have the same norm: the laws need norms that change during training")
    few = fit(runs.thinned(MOST_RUNS))
    fitted = few if len(few.runs.x) == len(runs.x) else on_all_runs(few, runs)
    found = exponents_of(fitted, few)
    optima = run_optima(curves)
    endpoint = endpoint_of(optima)
    estimates = {name: _estimate(found, name, context.confidence) for name in NAMES}
    reach = float(stats.t.ppf(0.5 + context.confidence / 2, endpoint.freedom))
    measured = Estimate(
        value=endpoint.gamma_meas,
        stderr=endpoint.stderr,
        low=endpoint.gamma_meas - reach * endpoint.stderr,
        high=endpoint.gamma_meas + reach * endpoint.stderr,
        definition=DEFINITIONS["gamma_meas"],
    )
    evidence, depth = few.evidence - without_departure(few), depth_of(few)
    place = NAMES.index("gamma_pred")
    covariance = float(found.influence[:, place] @ endpoint.influence)
    difference = difference_of(
        estimates["gamma_pred"], measured, covariance, min(found.freedom, endpoint.freedom)
    )
    width = float(stats.t.ppf(0.5 + context.confidence / 2, found.freedom))
    drawing = Drawing(fitted, found, endpoint, width)
    tables = {**drawing.tables(), "influence": _influence(runs.names, found, endpoint.influence)}
    departed = _departed(fitted, tables["departures"])
    judged = judge(
        gamma_0=estimates["gamma_0"],
        predicted=estimates["gamma_pred"],
        measured=measured,
        difference=difference,
        depth=depth,
        evidence_of_departure=evidence,
        departed=departed,
        enveloped=_enveloped(fitted, tables["departures"]),
        sizes=len(runs.sizes),
    )
    if judged.verdict == "cannot_tell" and 2 * len(falling_runs(curves)) > len(runs.x):
        judged = norm_falls()
    return Findings(
        gamma_1=estimates["gamma_1"],
        gamma_2=estimates["gamma_2"],
        gamma_pred=estimates["gamma_pred"],
        gamma_meas=measured,
        further={"gamma_0": estimates["gamma_0"], "gamma_1_bend": estimates["bend"]},
        verdict=judged.verdict,
        reasons=judged.reasons,
        mean_curves=mean_curves(curves),
        optima=optima,
        tables=tables,
        extras={
            "optimum_chosen_on": chosen_on(curves),
            "agreement": difference,
            "tests": _tests(estimates, found),
            "departures_seen": departed,
            "log_bayes_factor_of_departure": evidence,
            "delta": {
                "value": depth.value,
                "stderr": depth.stderr,
                "p_value": depth.p_value,
                "log_bayes_factor": depth.log_bayes_factor,
                "log_bayes_factor_without": depth.log_bayes_factor_without,
            },
            "resampled": _resampled(found, runs.sizes),
            "joint": _joint(estimates["gamma_pred"], measured, covariance),
            "trade": _trade(found),
            "model": _model(fitted),
        },
        method=METHOD,
        predict=drawing.predict,
        foresee=Foresight(fitted, few, found, context.confidence, FORETOLD),
    )


def _estimate(found: Exponents, name: str, confidence: float) -> Estimate:
    value = float(found.values[NAMES.index(name)])
    scatter, choices = found.stderr(name)
    definition = DEFINITIONS.get(name, DEFINITIONS["gamma_1_bend"])
    return estimate_of(value, scatter, choices, confidence, found.freedom_of(name), definition)


def _tests(estimates: dict[str, Estimate], found: Exponents) -> list[dict[str, Any]]:
    """Return the tests of what the law in its simplest form says, by the distributions of the intervals."""
    return [
        {"hypothesis": f"{shown} = 0", "means": means}
        | difference_test(estimates[name].value, estimates[name].stderr, found.freedom_of(name))
        for name, shown, means in (
            ("gamma_0", "gamma_0", "one envelope for all train sizes"),
            ("bend", "gamma_1_bend", "a straight envelope"),
        )
    ]


def _influence(names: tuple[str, ...], found: Exponents, of_endpoint: NDArray[np.float64]) -> pd.DataFrame:
    """Return what each run moves each exponent by: products, summed over runs, are covariances."""
    import pandas as pd

    moved = {name: found.influence[:, NAMES.index(name)] for name in NAMES if name != "bend"}
    return pd.DataFrame({"run": names, **moved, "gamma_meas": of_endpoint})


def _departed(fitted: Fit, departures: pd.DataFrame) -> int:
    """Return how many train sizes have a run that reached its departure norm."""
    runs = fitted.runs
    reached = np.array([runs.x[runs.size_of == k].max() for k in range(len(runs.sizes))])
    place = (departures["log_norm"].to_numpy() - runs.shift) / runs.scale
    return int((reached >= place).sum())


def _enveloped(fitted: Fit, departures: pd.DataFrame) -> int:
    """Return how many train sizes have a curve before their departure, long enough to see an envelope by."""
    runs, seen = fitted.runs, 0
    for k, place in enumerate((departures["log_norm"].to_numpy() - runs.shift) / runs.scale):
        own = np.where(runs.mask, runs.x, np.inf)[runs.size_of == k]
        points = float(np.median((own < place).sum(axis=1)))
        seen += bool(points >= FEWEST_BEFORE and place - own.min() >= STRETCH)
    return seen


def _joint(predicted: Estimate, measured: Estimate, covariance: float) -> dict[str, Any]:
    most = 0.95 * predicted.stderr * measured.stderr
    both = float(np.clip(covariance, -most, most))
    return {
        "mean": [predicted.value, measured.value],
        "covariance": [[predicted.stderr**2, both], [both, measured.stderr**2]],
    }


def _resampled(found: Exponents, sizes: NDArray[np.int64]) -> dict[str, Any]:
    """Return each exponent's standard error by its three ways, and what it would be without each train size."""
    return {
        name: {
            "model": float(np.sqrt(found.model[k, k])),
            "runs": float(np.sqrt(found.runs[k, k])),
            "sizes": float(np.sqrt(found.sizes[k, k])),
            "without": {
                str(size): float(found.values[k] + moved)
                for size, moved in zip(sizes, found.by_size[:, k], strict=True)
            },
        }
        for k, name in enumerate(NAMES)
    }


def _trade(found: Exponents) -> dict[str, float]:
    """Return how gamma_1 and gamma_2 trade against each other: the correlation of their errors."""
    one, two = NAMES.index("gamma_1"), NAMES.index("gamma_2")
    scale = float(np.sqrt(found.model[one, one] * found.model[two, two]))
    return {"correlation_gamma_1_gamma_2": float(found.model[one, two] / scale) if scale > 0 else 0.0}


def _model(fitted: Fit) -> dict[str, float]:
    """Return standard deviations of what evidence chose, of ln error or of ln norm."""
    v, scale = fitted.variances, fitted.runs.scale
    return {
        "noise_relative": float(np.sqrt(v.noise * fitted.noise.relative)),
        "noise_counting": float(v.noise * fitted.noise.counting),
        "drift": float(np.sqrt(v.drift)),
        "run_offset": float(np.sqrt(v.run_offset)),
        "run_shift": float(np.sqrt(v.run_shift) * scale),
        "size_offset": float(np.sqrt(v.size_offset)),
        "size_shift": float(np.sqrt(v.size_shift) * scale),
        "correction_g": float(np.sqrt(v.correction_g)),
        "correction_h": float(np.sqrt(v.correction_h)),
        "log_evidence": fitted.evidence,
    }
