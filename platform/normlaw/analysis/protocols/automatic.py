"""No number chosen by hand: all windows and first train sizes, averaged with information-criterion weights.

Weights as in Jay and Neil 2020 (arXiv 2008.01069): exp(-(chi^2 + 2 k + 2 N_cut) / 2), so that leaving points
out costs as much as spending a parameter on each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw.analysis.early_scan import EarlyScan, early_scan
from normlaw.analysis.line_scan import LineScan, line_scan
from normlaw.analysis.mean_curves import mean_curves
from normlaw.analysis.optimum import size_optima
from normlaw.analysis.resampling import multiplicities
from normlaw.analysis.results import Estimate, Findings
from normlaw.analysis.smooth_optimum import smooth_optima
from normlaw.analysis.weights import information_weights
from normlaw_registry import Fitter, validate_params

if TYPE_CHECKING:
    from normlaw.analysis.options import Options
    from normlaw_registry import Catalogue, FitResult

Floats = NDArray[np.float64]


def automatic(curves: pd.DataFrame, catalogue: Catalogue, options: Options) -> Findings:
    """Fit the laws with windows and first train sizes averaged over.

    Reads `confidence`, `draws` and `bootstrap_seed` of the options.

    Raises:
        InputError: too few points lie before the optimum for any admissible window.

    """
    optima = smooth_optima(curves)
    sizes, size_of = np.unique(optima["train_size"].to_numpy(), return_inverse=True)
    per_size = size_optima(optima)
    index = pd.Series(np.arange(len(optima)), index=optima["run"])
    points = curves.assign(run_index=curves["run"].map(index))
    points = points.sort_values("run_index", kind="stable")
    weight = multiplicities(size_of, options.draws, options.bootstrap_seed)

    early = early_scan(points, per_size.set_index("train_size")["log_norm"], weight)
    log_sizes = np.log(sizes.astype(np.float64))
    norm_line = line_scan(optima["log_norm"].to_numpy(), size_of, log_sizes, weight)
    error_line = line_scan(-optima["log_error"].to_numpy(), size_of, log_sizes, weight)
    early_weight = information_weights(early.criterion)
    generator = np.random.default_rng(options.bootstrap_seed + 1)
    g1 = Averaged.of(early.gamma_1, early_weight, generator)
    g2 = Averaged.of(norm_line.slope, information_weights(norm_line.criterion), generator)
    gm = Averaged.of(error_line.slope, information_weights(error_line.criterion), generator)
    best_window, best_first = np.unravel_index(int(np.argmax(early_weight[0])), early_weight[0].shape)
    window = (float(early.low[best_window]), float(early.high[best_window]))
    first = int(sizes[best_first])
    fits = _reported_fits(curves, per_size, optima, window, first, catalogue)
    level = options.confidence
    return Findings(
        gamma_1=g1.estimate(level),
        gamma_2=g2.estimate(level),
        gamma_pred=product(g1, g2).estimate(level),
        gamma_meas=gm.estimate(level),
        mean_curves=mean_curves(curves),
        optima=optima,
        size_optima=per_size,
        window=window,
        first_train_size=first,
        fits=fits,
        tables={"sensitivity": sensitivity(early, early_weight[0], norm_line)},
        extras={"noise_of_log_error": early.noise},
        method=METHOD,
    )


METHOD = (
    "Optimum of each run: a parabola in log error against log norm through the bottom of the curve.",
    "gamma_1: one slope of log error on log norm for all train sizes, an intercept for each, in windows of "
    "lambda/lambda_opt(P) between the onset of the fall and the optimum.",
    "Windows and first train sizes are averaged with weights exp(-(chi^2 + 2k + 2 N_cut)/2) (Jay and Neil "
    "2020).",
    "gamma_2 and gamma_meas: lines in logarithms through the optima of runs, first train sizes averaged "
    "likewise.",
    "Errors: bootstrap of whole runs (statistical) and spread over windows and first sizes (window), in "
    "quadrature.",
)


class Averaged:
    """A number in every draw: its average over choices, and one choice drawn by weight."""

    def __init__(self, mean: Floats, mixed: Floats, window: float) -> None:
        self.mean = mean
        """Weighted average over choices, (D,)."""
        self.mixed = mixed
        """Value of a choice drawn with the weights, (D,): scatters by runs and by choices."""
        self.window = window
        """Standard deviation over choices in the study itself."""

    @classmethod
    def of(cls, value: Floats, weight: Floats, generator: np.random.Generator) -> Averaged:
        """Average `value` (D, ...) with `weight` (D, ...)."""
        flat, w = value.reshape(len(value), -1), weight.reshape(len(weight), -1)
        safe = np.where(w > 0, flat, 0.0)
        mean = (safe * w).sum(axis=1)
        mean[w.sum(axis=1) == 0] = np.nan
        window = float(np.sqrt(max((safe[0] ** 2 * w[0]).sum() - mean[0] ** 2, 0.0)))
        cumulative = np.cumsum(w, axis=1)
        chosen = (cumulative < generator.random((len(w), 1)) * cumulative[:, -1:]).sum(axis=1)
        return cls(mean, safe[np.arange(len(w)), np.minimum(chosen, w.shape[1] - 1)], window)

    def estimate(self, confidence: float) -> Estimate:
        """Return the value with its errors; limits are quantiles over draws and choices together."""
        statistical = float(np.nanstd(self.mean[1:], ddof=1))
        tail = (1 - confidence) / 2
        low, high = np.nanquantile(self.mixed[1:], [tail, 1 - tail])
        return Estimate(
            value=float(self.mean[0]),
            stderr=float(np.hypot(statistical, self.window)),
            low=float(low),
            high=float(high),
            statistical=statistical,
            window=self.window,
        )


def product(a: Averaged, b: Averaged) -> Averaged:
    """Return the product of two numbers, draw by draw."""
    window = float(np.hypot(a.window * b.mean[0], b.window * a.mean[0]))
    return Averaged(a.mean * b.mean, a.mixed * b.mixed, window)


def sensitivity(early: EarlyScan, weight: Floats, norm_line: LineScan) -> pd.DataFrame:
    """Return gamma_1 and gamma_pred of every admissible window and first train size, with weights.

    Columns: low, high (window in ln(lambda/lambda_opt)), first_train_size, points, gamma_1, gamma_2 (from the
    same first train size), gamma_pred, weight.
    """
    w, f = np.nonzero(np.isfinite(early.criterion[0]))
    gamma_1, gamma_2 = early.gamma_1[0][w, f], norm_line.slope[0][f]
    return pd.DataFrame(
        {
            "low": early.low[w],
            "high": early.high[w],
            "first_train_size": early.first_sizes[f],
            "points": early.points[w, f],
            "gamma_1": gamma_1,
            "gamma_2": gamma_2,
            "gamma_pred": gamma_1 * gamma_2,
            "weight": weight[w, f],
        }
    )


def _reported_fits(
    curves: pd.DataFrame,
    per_size: pd.DataFrame,
    optima: pd.DataFrame,
    window: tuple[float, float],
    first: int,
    catalogue: Catalogue,
) -> dict[str, FitResult]:
    """Return the fits of the heaviest window and of all optima, in full."""
    relative = curves["log_norm"] - curves["train_size"].map(per_size.set_index("train_size")["log_norm"])
    inside = curves[relative.between(*window) & (curves["train_size"] >= first)]
    fits = {}
    for name, points in (
        ("early_power_law", inside),
        ("optimal_norm_power_law", optima),
        ("endpoint_power_law", optima),
    ):
        fitter = catalogue.get(Fitter, name)
        fits[name] = fitter.fit(points.reset_index(drop=True), validate_params(fitter, {}))
    return fits
