"""The procedure of the paper's released code, with windows chosen by hand.

D'Amico, Bocchi, Negri 2025 (arXiv 2505.13230): gamma_1 is the mean over train sizes of the slopes of single
mean curves, its error sqrt(sum(sigma_i^2) / n); gamma_2 and gamma_meas are lines in logarithms.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from normlaw_plugins.protocols.agreement import agreement, disagreement
from normlaw_registry import AnalysisContext, AnalysisWarning, Estimate, Findings, FitResult, InputError
from normlaw_registry.curves import TEST_SET, least_points, size_optima
from normlaw_registry.curves.columns import floats, integers
from normlaw_registry.curves.mean_curves import mean_curves

MIN_POINTS = 3
"""Points of one mean curve in the window: a line and its error need three."""


def laws_of_mean_curves(
    curves: pd.DataFrame,
    context: AnalysisContext,
    window: tuple[float | None, float | None],
    first_index: int,
    gamma2_first_index: int,
) -> Findings:
    """Fit the laws as the paper's released code does.

    Args:
        curves: as a protocol is given them.
        context: confidence level and fitters.
        window: limits of lambda/lambda_opt in the early fit; None leaves that side open.
        first_index: index of the first train size in the early fit.
        gamma2_first_index: index of the first train size in the fit of the optimal norm.

    Raises:
        InputError: a train size has fewer than 3 points in the window, or too few train sizes are left.

    """
    low, high = (
        -np.inf if window[0] is None else float(np.log(window[0])),
        np.inf if window[1] is None else float(np.log(window[1])),
    )
    means = mean_curves(curves)
    least = least_points(means, by="train_size")
    optima = least_points(curves)
    warnings: list[AnalysisWarning] = []
    slopes = early_slopes(means, least, context, (low, high), first_index)
    level = context.confidence
    gamma_1 = Estimate.normal(slopes["gamma_1"].mean(), float(np.sqrt((slopes["stderr"] ** 2).mean())), level)

    norms, source = optimal_norms(curves, least, optima)
    if source == "mean curves":
        warnings.append(
            AnalysisWarning(
                code="optimum_of_mean_curves",
                message="one curve a train size: gamma_2 is fitted to the optima of these curves, not to the "
                "mean of each seed's own optimum",
            )
        )
    late = norms.iloc[gamma2_first_index:]
    law_2 = _line(context, "optimal_norm_power_law", late, "gamma2_first_index")
    gamma_2 = Estimate.of_fit(law_2, "gamma_2", level)
    law_3 = _line(context, "endpoint_power_law", least.assign(run=least["train_size"].astype(str)), "")
    pred_stderr = float(np.hypot(gamma_1.stderr * gamma_2.value, gamma_2.stderr * gamma_1.value))
    predicted = Estimate.normal(gamma_1.value * gamma_2.value, pred_stderr, level)
    measured = Estimate.of_fit(law_3, "gamma_meas", level)
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
    context: AnalysisContext,
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
        fit = context.fit("early_power_law", inside, errors="ordinary")
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


def _line(context: AnalysisContext, name: str, points: pd.DataFrame, option: str) -> FitResult:
    if len(points) < MIN_POINTS:
        raise InputError(f"{option} leaves {len(points)} train sizes; a line and its error need {MIN_POINTS}")
    return context.fit(name, points, errors="ordinary")
