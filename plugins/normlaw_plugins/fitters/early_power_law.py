"""The early law as a power law: eps = k1(P) * lambda^-gamma_1, one exponent for all P."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from normlaw_registry import FitResult, Fitter, Params

if TYPE_CHECKING:
    import pandas as pd


class EarlyPowerLawParams(Params):
    """How the standard errors are made."""

    errors: Literal["clustered", "ordinary"] = Field(
        default="clustered",
        description="clustered: points of one run are correlated; ordinary: all points independent",
    )


def fit(points: pd.DataFrame, params: EarlyPowerLawParams) -> FitResult:
    """Fit ln eps = log_k1[P] - gamma_1 ln lambda by least squares.

    Returns:
        Parameters `gamma_1` and, for each train size P, `log_k1[P]`.

    Raises:
        InputError: fewer points than parameters, one norm only, or (clustered) fewer than 2 runs.

    """
    import pandas as pd

    from normlaw_plugins.fitters.statsmodels_result import fit_linear

    sizes = sorted(points["train_size"].unique())

    def design(frame: pd.DataFrame) -> pd.DataFrame:
        columns = {"gamma_1": -frame["log_norm"]}
        for size in sizes:
            columns[f"log_k1[{size}]"] = (frame["train_size"] == size).astype("float64")
        return pd.DataFrame(columns)  # (n, 1 + number of sizes)

    return fit_linear(
        "ln eps = log_k1[P] - gamma_1 ln lambda",
        points,
        "log_error",
        design,
        clusters=points["run"] if params.errors == "clustered" else None,
    )


early_power_law = Fitter(
    name="early_power_law",
    summary="Early law: one exponent gamma_1 for all P, an intercept per P, errors clustered by run",
    source="D'Amico, Bocchi, Negri 2025 (arXiv 2505.13230), early law with q1 = 0",
    formula=r"\varepsilon = k_1(P)\, \lambda^{-\gamma_1}",
    params=EarlyPowerLawParams,
    law="early_law",
    fit=fit,
)
