"""The optimal norm as a power law: lambda_opt = k2 * P^gamma_2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from normlaw_registry import FitResult, Fitter, Params

if TYPE_CHECKING:
    import pandas as pd


class OptimalNormPowerLawParams(Params):
    """How the standard errors are made."""

    errors: Literal["robust", "ordinary"] = Field(
        default="robust",
        description="robust: the scatter may depend on P (HC3); ordinary: the same scatter at every P",
    )


def design(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the regressors, (n, 2)."""
    import numpy as np
    import pandas as pd

    return pd.DataFrame({"gamma_2": np.log(frame["train_size"].astype("float64")), "log_k2": 1.0})


def fit(points: pd.DataFrame, params: OptimalNormPowerLawParams) -> FitResult:
    """Fit ln lambda_opt = log_k2 + gamma_2 ln P by least squares, one point a run.

    Returns:
        Parameters `gamma_2` and `log_k2`.

    Raises:
        InputError: fewer than 3 points, or one train size only.

    """
    from normlaw_plugins.fitters.statsmodels_result import fit_linear

    return fit_linear(
        "ln lambda_opt = log_k2 + gamma_2 ln P",
        points,
        "log_norm",
        design,
        cov_type="HC3" if params.errors == "robust" else "nonrobust",
    )


optimal_norm_power_law = Fitter(
    name="optimal_norm_power_law",
    summary="Optimal norm: lambda_opt = k2 P^gamma_2, a line in logarithms, errors robust to unequal scatter",
    source="D'Amico, Bocchi, Negri 2025 (arXiv 2505.13230), law of the optimal norm with q2 = 0",
    formula=r"\lambda_{opt} = k_2 P^{\gamma_2}",
    params=OptimalNormPowerLawParams,
    law="optimal_norm",
    fit=fit,
)
