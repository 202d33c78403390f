"""The procedure of the paper's released code, with windows chosen by hand.

D'Amico, Bocchi, Negri 2025 (arXiv 2505.13230): gamma_1 is the mean over train sizes of the slopes of single
mean curves, its error sqrt(sum(sigma_i^2) / n); gamma_2 and gamma_meas are lines in logarithms.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from normlaw.analysis.agreement import agreement, disagreement
from normlaw.analysis.chosen_optimum import TEST_SET
from normlaw.analysis.columns import floats, integers
from normlaw.analysis.mean_curves import mean_curves
from normlaw.analysis.optimum import grid_optima, size_optima
from normlaw.analysis.results import AnalysisWarning, Estimate, Findings
from normlaw_registry import Fitter, InputError, validate_params

if TYPE_CHECKING:
    from normlaw.analysis.options import Options
    from normlaw_registry import Catalogue, FitResult

MIN_POINTS = 3
"""Points of one mean curve in the window: a line and its error need three."""


def released(curves: pd.DataFrame, catalogue: Catalogue, options: Options) -> Findings:
    """Fit the laws as the paper's released code does.

    Reads `window`, `first_index` and `gamma2_first_index` of the options.

    Raises:
        InputError: no window is given, or a train size has fewer than 3 points in it.

    """
    if options.window is None:
        raise InputError(
            "the protocol 'released' fits inside a window chosen by hand: give the limits of "
            "lambda/lambda_opt, or use the protocol 'automatic'"
        )
    low, high = (
        -np.inf if options.window[0] is None else float(np.log(options.window[0])),
        np.inf if options.window[1] is None else float(np.log(options.window[1])),
    )
    means = mean_curves(curves)
    least = grid_optima(means, by="train_size")
    optima = grid_optima(curves)
    warnings: list[AnalysisWarning] = []
    slopes = early_slopes(means, least, catalogue, (low, high), options.first_index)
    z = NormalDist().inv_cdf(0.5 + options.confidence / 2)
    gamma_1 = _normal(slopes["gamma_1"].mean(), float(np.sqrt((slopes["stderr"] ** 2).mean())), z)

    norms, source = optimal_norms(curves, least, optima)
    if source == "mean curves":
        warnings.append(
            AnalysisWarning(
                code="optimum_of_mean_curves",
                message="one curve a train size: gamma_2 is fitted to the optima of these curves, not to the "
                "mean of each seed's own optimum",
            )
        )
    late = norms.iloc[options.gamma2_first_index :]
    law_2 = _line(catalogue, "optimal_norm_power_law", late, "gamma2_first_index")
    gamma_2 = _of_fit(law_2, "gamma_2", options.confidence)
    law_3 = _line(catalogue, "endpoint_power_law", least.assign(run=least["train_size"].astype(str)), "")
    pred_stderr = float(np.hypot(gamma_1.stderr * gamma_2.value, gamma_2.stderr * gamma_1.value))
    predicted = _normal(gamma_1.value * gamma_2.value, pred_stderr, z)
    measured = _of_fit(law_3, "gamma_meas", options.confidence)
    test = agreement(predicted, measured)
    warnings += disagreement(test)
    per_size = size_optima(optima)
    return Findings(
        gamma_1=gamma_1,
        gamma_2=gamma_2,
        gamma_pred=predicted,
        gamma_meas=measured,
        mean_curves=means,
        optima=optima,
        size_optima=per_size.assign(
            log_norm=norms["log_norm"].to_numpy(), log_error=least["log_error"].to_numpy()
        ),
        window=(low, high),
        first_train_size=int(slopes["train_size"].iloc[0]),
        fits={"optimal_norm_power_law": law_2, "endpoint_power_law": law_3},
        tables={"early_slopes": slopes},
        extras={
            "optimum_chosen_on": TEST_SET,
            "gamma_2_optima": source,
            "gamma_2_first_train_size": int(late["train_size"].iloc[0]),
            "agreement": test,
        },
        method=(
            "Mean curves: each run interpolated linearly in the log norm on a common grid of 50 points, then "
            "averaged over runs; a train size with one run keeps its own points.",
            "gamma_1: each mean curve divided by its own minimum, a line in logarithms inside the window "
            "chosen by hand, slopes averaged over train sizes; error sqrt(sum(sigma_i^2)/n).",
            f"gamma_2: a line in logarithms through the optimal norms against P (optima: {source}).",
            "gamma_meas: a line in logarithms through the minima of the mean curves against P, all P.",
            "gamma_pred: the product; errors propagated as if gamma_1 and gamma_2 were independent.",
        ),
        warnings=tuple(warnings),
    )


def early_slopes(
    means: pd.DataFrame,
    least: pd.DataFrame,
    catalogue: Catalogue,
    window: tuple[float, float],
    first_index: int,
) -> pd.DataFrame:
    """Return the slope of each mean curve from `first_index` on: train_size, gamma_1, stderr, points.

    Raises:
        InputError: `first_index` leaves no size, or a size has too few points in the window.

    """
    if first_index >= len(least):
        raise InputError(
            f"first_index {first_index} leaves no train size: there are {len(least)}, counted from 0"
        )
    fitter = catalogue.get(Fitter, "early_power_law")
    params = validate_params(fitter, {"errors": "ordinary"})
    rows = []
    columns = (integers(least, "train_size"), floats(least, "log_norm"), floats(least, "log_error"))
    for size, log_norm, log_error in list(zip(*columns, strict=True))[first_index:]:
        curve = means[means["train_size"] == size]
        points = pd.DataFrame(
            {
                "run": curve["train_size"].astype(str),
                "train_size": curve["train_size"],
                "log_norm": floats(curve, "log_norm") - log_norm,
                "log_error": floats(curve, "log_error") - log_error,
            }
        )
        inside = points[points["log_norm"].between(*window)]
        if len(inside) < MIN_POINTS:
            raise InputError(
                f"the window holds {len(inside)} points of the mean curve of train size {size}; "
                f"a slope and its error need {MIN_POINTS}: widen the window or raise first_index"
            )
        fit = fitter.fit(inside, params)
        rows.append(
            {
                "train_size": int(size),
                "gamma_1": float(fit.params["gamma_1"]),
                "stderr": float(fit.bse["gamma_1"]),
                "points": len(inside),
            }
        )
    return pd.DataFrame(rows)


def optimal_norms(curves: pd.DataFrame, least: pd.DataFrame, optima: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the optimal norm of each train size (run, train_size, log_norm) and where it comes from."""
    sizes = least["train_size"]
    if "mean_log_optimal_norm" in curves.columns:
        log_norm = curves.groupby("train_size")["mean_log_optimal_norm"].first().loc[sizes]
        source = "given with the curves"
    elif len(optima) > len(sizes):
        log_norm, source = optima.groupby("train_size")["log_norm"].mean().loc[sizes], "mean over runs"
    else:
        log_norm, source = least.set_index("train_size")["log_norm"], "mean curves"
    frame = pd.DataFrame({"train_size": sizes.to_numpy(), "log_norm": log_norm.to_numpy()})
    return frame.assign(run=frame["train_size"].astype(str)), source


def _line(catalogue: Catalogue, name: str, points: pd.DataFrame, option: str) -> FitResult:
    if len(points) < MIN_POINTS:
        raise InputError(f"{option} leaves {len(points)} train sizes; a line and its error need {MIN_POINTS}")
    fitter = catalogue.get(Fitter, name)
    return fitter.fit(points.reset_index(drop=True), validate_params(fitter, {"errors": "ordinary"}))


def _normal(value: float, stderr: float, z: float) -> Estimate:
    return Estimate(
        value=float(value), stderr=stderr, low=float(value - z * stderr), high=float(value + z * stderr)
    )


def _of_fit(fit: FitResult, name: str, confidence: float) -> Estimate:
    limits = fit.conf_int(1 - confidence)
    low, high = limits.to_numpy(dtype=np.float64)[list(limits.index).index(name)]
    return Estimate(
        value=float(fit.params[name]), stderr=float(fit.bse[name]), low=float(low), high=float(high)
    )
