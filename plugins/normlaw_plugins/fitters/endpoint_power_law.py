"""The endpoint law as a power law: eps_opt = k * P^-gamma."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from normlaw_registry import FitResult, Fitter, Params

if TYPE_CHECKING:
    import pandas as pd


class EndpointPowerLawParams(Params):
    """How the standard errors are made."""

    errors: Literal["robust", "ordinary"] = Field(
        default="robust",
        description="robust: the scatter may depend on P (HC3); ordinary: the same scatter at every P",
    )


def design(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the regressors, (n, 2)."""
    import numpy as np
    import pandas as pd

    return pd.DataFrame({"gamma_meas": -np.log(frame["train_size"].astype("float64")), "log_k": 1.0})


def fit(points: pd.DataFrame, params: EndpointPowerLawParams) -> FitResult:
    """Fit ln eps_opt = log_k - gamma_meas ln P by least squares.

    Returns:
        Parameters `gamma_meas` and `log_k`.

    Raises:
        InputError: fewer than 3 points, or one train size only.

    """
    from normlaw_plugins.fitters.statsmodels_result import fit_linear

    return fit_linear(
        "ln eps_opt = log_k - gamma_meas ln P",
        points,
        "log_error",
        design,
        cov_type="HC3" if params.errors == "robust" else "nonrobust",
    )


endpoint_power_law = Fitter(
    name="endpoint_power_law",
    summary="Endpoint law: eps_opt = k P^-gamma, a line in logarithms, errors robust to unequal scatter",
    source="D'Amico, Bocchi, Negri 2025 (arXiv 2505.13230), endpoint law",
    formula=r"\varepsilon_{opt} = k P^{-\gamma}",
    params=EndpointPowerLawParams,
    law="endpoint_law",
    fit=fit,
)
