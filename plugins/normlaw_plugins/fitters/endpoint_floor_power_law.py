"""The endpoint law with a floor: eps_opt = q + k * P^-gamma."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from normlaw_registry import FitResult, Fitter, Params

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from normlaw_plugins.fitters.nonlinear import Points


class EndpointFloorPowerLawParams(Params):
    """What is held fixed, and what the residuals are of."""

    floor: float | None = Field(
        default=None, description="error as P -> infinity; fitted, not negative, when None"
    )
    residuals: Literal["log", "error"] = Field(
        default="log", description="least squares of the log error, or of the error itself"
    )


def fit(points: pd.DataFrame, params: EndpointFloorPowerLawParams) -> FitResult:
    """Fit eps_opt = q + k P^-gamma_meas by nonlinear least squares.

    Returns:
        Parameters `gamma_meas`, `log_k` and, unless it is fixed, `q`.

    Raises:
        InputError: fewer points than parameters plus one.

    """
    import numpy as np

    from normlaw_plugins.fitters.nonlinear import Parameter, fit_nonlinear, log_above, log_sizes, start_line

    least = float(np.exp(points["log_error"].min()))
    slope, level = start_line(points, "log_error")
    parameters = [
        Parameter("gamma_meas", (-slope, -2 * slope)),
        Parameter("log_k", (level,)),
    ]
    if params.floor is None:
        parameters.append(Parameter("q", (0.01 * least, 0.5 * least, 0.9 * least), low=0.0, high=least))

    def model(theta: NDArray[np.float64], frame: Points) -> NDArray[np.float64]:
        floor = params.floor if params.floor is not None else theta[2]
        return log_above(floor, theta[1] - theta[0] * log_sizes(frame))

    return fit_nonlinear(
        "eps_opt = q + exp(log_k) P^-gamma_meas",
        points,
        "log_error",
        model,
        parameters,
        residuals=params.residuals,
    )


endpoint_floor_power_law = Fitter(
    name="endpoint_floor_power_law",
    summary="Endpoint law with a floor: eps_opt = q + k P^-gamma, q >= 0",
    source="Hoffmann et al. 2022 (arXiv 2203.15556), the data term with an irreducible error",
    formula=r"\varepsilon_{opt} = q + k P^{-\gamma}, \qquad q \ge 0",
    params=EndpointFloorPowerLawParams,
    law="endpoint_law",
    fit=fit,
)
