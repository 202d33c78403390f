"""No number chosen by hand: all windows and first train sizes, averaged with information-criterion weights.

Weights as in Jay and Neil 2020 (arXiv 2008.01069): exp(-(chi^2 + 2 k + 2 N_cut) / 2), so that leaving points
out costs as much as spending a parameter on each.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw_plugins.protocols.agreement import agreement, disagreement
from normlaw_plugins.protocols.early_scan import early_scan
from normlaw_plugins.protocols.line_scan import line_scan
from normlaw_plugins.protocols.resampling import multiplicities
from normlaw_plugins.protocols.sensitivity import sensitivity, summary
from normlaw_plugins.protocols.student import estimate_of
from normlaw_plugins.protocols.weights import POINTS_PER_DATUM, information_weights
from normlaw_registry import AnalysisContext, Estimate, Findings, FitResult, InputError
from normlaw_registry.curves import chosen_on, early_points, run_optima, size_optima
from normlaw_registry.curves.columns import floats
from normlaw_registry.curves.mean_curves import mean_curves

Floats = NDArray[np.float64]

MIN_SIZES = 3


def averaged_laws(curves: pd.DataFrame, context: AnalysisContext, draws: int, seed: int) -> Findings:
    """Fit the laws with windows and first train sizes averaged over.

    Args:
        curves: as a protocol is given them.
        context: confidence level and fitters.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        InputError: fewer than 3 train sizes, or too few points before the optimum for any admissible window.

    """
    if (sizes_given := curves["train_size"].nunique()) < MIN_SIZES:
        raise InputError(f"the laws need curves of at least {MIN_SIZES} train sizes, got {sizes_given}")
    optima = run_optima(curves)
    sizes, size_of = np.unique(optima["train_size"].to_numpy(), return_inverse=True)
    per_size = size_optima(optima)
    index = pd.Series(np.arange(len(optima)), index=optima["run"])
    points = curves.assign(run_index=curves["run"].map(index))
    points = points.sort_values("run_index", kind="stable")
    weight = multiplicities(size_of, draws, seed)

    early = early_scan(points, per_size.set_index("train_size")["log_norm"], floats(optima, "log_norm"), weight)
    log_sizes = np.log(sizes.astype(np.float64))
    norm_line = line_scan(optima["log_norm"].to_numpy(), size_of, log_sizes, weight)
    error_line = line_scan(-optima["log_error"].to_numpy(), size_of, log_sizes, weight)
    early_weight = information_weights(early.criterion / POINTS_PER_DATUM)
    g1 = Averaged.of(early.gamma_1, early_weight)
    norm_weight = information_weights(norm_line.criterion)
    g2 = Averaged.of(norm_line.slope, norm_weight)
    gm = Averaged.of(error_line.slope, information_weights(error_line.criterion))
    best_window, best_first, _ = np.unravel_index(int(np.argmax(early_weight[0])), early_weight[0].shape)
    window = (float(early.low[best_window]), float(early.high[best_window]))
    first = int(sizes[best_first])
    fits = _reported_fits(curves, per_size, optima, window, first, context)
    level = context.confidence
    # Degrees of freedom of the scatter between runs of one size, or between sizes where each has one run.
    freedom = len(optima) - len(sizes) if np.bincount(size_of).min() > 1 else len(optima) - 2
    predicted = product(g1, g2)
    estimates = {"gamma_1": g1, "gamma_2": g2, "gamma_pred": predicted, "gamma_meas": gm}
    found = {name: averaged.estimate(level, freedom) for name, averaged in estimates.items()}
    test = agreement(found["gamma_pred"], found["gamma_meas"], (predicted.mean - gm.mean)[1:], freedom)
    choices = sensitivity(early, early_weight[0], norm_line, norm_weight[0], sizes)
    return Findings(
        gamma_1=found["gamma_1"],
        gamma_2=found["gamma_2"],
        gamma_pred=found["gamma_pred"],
        gamma_meas=found["gamma_meas"],
        mean_curves=mean_curves(curves),
        optima=optima,
        size_optima=per_size,
        window=window,
        first_train_size=first,
        fits=fits,
        tables={"sensitivity": choices},
        extras={
            "optimum_chosen_on": chosen_on(curves),
            "sensitivity": summary(choices),
            "gamma_pred_delta_ci": list(delta_interval(found["gamma_1"], found["gamma_2"], level)),
            "agreement": test,
            "noise_of_log_error": early.noise,
        },
        warnings=disagreement(test),
        method=METHOD,
    )


METHOD = (
    "Optimum of each run: a parabola in log error against log norm through the bottom of the curve; where runs "
    "have validation examples, of their curve, and the test error is read at its vertex.",
    "gamma_1: one slope of log error on log norm for all train sizes, an intercept for each, in windows of "
    "lambda/lambda_opt(P) between the onset of the fall and the optimum.",
    "A term c exp(m x / r), x = ln(lambda/lambda_opt), r its range, may bend that line towards the optimum: "
    "straight, or one of six m; it vanishes early and leaves gamma_1 as the exponent of the early law.",
    "Windows, first train sizes and shapes are averaged with weights exp(-(chi^2 + 2k + 2 N_cut)/2) (Jay and "
    f"Neil 2020), {POINTS_PER_DATUM:g} points of a run counted as one datum, its own level free.",
    "gamma_2 and gamma_meas: lines in logarithms through the optima of runs, first train sizes averaged "
    "likewise.",
    "Errors: bootstrap of whole runs (statistical) and the spread over choices beyond what the scatter of runs "
    "causes by itself (window), in quadrature.",
)


@dataclass(frozen=True)
class Averaged:
    """A number averaged over choices, in every draw."""

    mean: Floats
    """Weighted average over choices, (D,)."""
    window: float
    """Standard deviation over choices beyond what the scatter of runs causes by itself."""

    @classmethod
    def of(cls, value: Floats, weight: Floats) -> Averaged:
        """Average `value` (D, ...) with `weight` (D, ...).

        The spread over choices in the study itself has two sources: choices that rest on fewer points
        scatter more, which the bootstrap knows already, and the law is not the same everywhere. The
        variance over draws of each choice about the average is taken off, so that only the second is left.
        """
        flat, w = value.reshape(len(value), -1), weight.reshape(len(weight), -1)
        used = (w > 1e-9 * w.max(axis=1, keepdims=True)).any(axis=0)
        flat, w = flat[:, used], w[:, used]
        safe = np.where(w > 0, flat, 0.0)
        mean = (safe * w).sum(axis=1)
        mean[w.sum(axis=1) == 0] = np.nan
        about = np.where(np.isfinite(flat), flat - mean[:, None], np.nan)
        spread = np.where(w[0] > 0, about[0], 0.0) ** 2 - np.where(w[0] > 0, np.nanvar(about[1:], axis=0), 0.0)
        return cls(mean, float(np.sqrt(max((w[0] * spread).sum(), 0.0))))

    def estimate(self, confidence: float, freedom: int) -> Estimate:
        """Return the value with its errors; limits are t limits with the bootstrap's standard error.

        Quantiles of the draws would be too narrow: with few seeds they lack the factor of Student's t.
        """
        draws = self.mean[1:][np.isfinite(self.mean[1:])]
        statistical = float(draws.std(ddof=1))
        return estimate_of(float(self.mean[0]), statistical, self.window, confidence, freedom)


def product(a: Averaged, b: Averaged) -> Averaged:
    """Return the product of two numbers, draw by draw."""
    return Averaged(a.mean * b.mean, float(np.hypot(a.window * b.mean[0], b.window * a.mean[0])))


def delta_interval(a: Estimate, b: Estimate, confidence: float) -> tuple[float, float]:
    """Return limits of a product by the delta method, the factors independent."""
    stderr = float(np.hypot(a.stderr * b.value, b.stderr * a.value))
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * stderr
    return a.value * b.value - reach, a.value * b.value + reach


def _reported_fits(
    curves: pd.DataFrame,
    per_size: pd.DataFrame,
    optima: pd.DataFrame,
    window: tuple[float, float],
    first: int,
    context: AnalysisContext,
) -> dict[str, FitResult]:
    """Return the fits of the heaviest window and of all optima, in full."""
    return {
        name: context.fit(name, points)
        for name, points in (
            ("early_power_law", early_points(curves, per_size, window, first)),
            ("optimal_norm_power_law", optima),
            ("endpoint_power_law", optima),
        )
    }
