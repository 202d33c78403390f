"""The optimal norm with its offset: lambda_opt = k2 * P^gamma_2 + q2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normlaw_registry import FitResult, Fitter

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from normlaw_plugins.fitters.nonlinear import Points
    from normlaw_registry import Params


def fit(points: pd.DataFrame, _params: Params) -> FitResult:
    """Fit lambda_opt = exp(log_k2) P^gamma_2 + q2 by least squares of the log norm.

    Norms are taken relative to their geometric mean, so that e^150 does not overflow.

    Returns:
        Parameters `gamma_2`, `log_k2` and `log_q2` (q2 = exp(log_q2), positive).

    Raises:
        InputError: fewer than 4 points.

    """
    import numpy as np

    from normlaw_plugins.fitters.nonlinear import Parameter, fit_nonlinear, log_sizes, start_line

    y = points["log_norm"].to_numpy(dtype=np.float64)
    slope, level = start_line(points, "log_norm")
    least = float(y.min())
    parameters = [
        Parameter("gamma_2", (slope, 1.5 * slope)),
        Parameter("log_k2", (level, level - 0.5 * slope * float(log_sizes(points).mean()))),
        Parameter("log_q2", (least - 4.0, least - 0.7), low=least - 30.0, high=least),
    ]

    def model(theta: NDArray[np.float64], frame: Points) -> NDArray[np.float64]:
        power = theta[1] + theta[0] * log_sizes(frame)
        return np.asarray(np.logaddexp(power, theta[2]))

    return fit_nonlinear(
        "lambda_opt = exp(log_k2) P^gamma_2 + exp(log_q2)", points, "log_norm", model, parameters
    )


optimal_norm_offset_power_law = Fitter(
    name="optimal_norm_offset_power_law",
    summary="Optimal norm with an offset: lambda_opt = k2 P^gamma_2 + q2, q2 > 0",
    source="D'Amico, Bocchi, Negri 2025 (arXiv 2505.13230), law of the optimal norm",
    formula=r"\lambda_{opt} = k_2 P^{\gamma_2} + q_2, \qquad q_2 > 0",
    law="optimal_norm",
    fit=fit,
)
