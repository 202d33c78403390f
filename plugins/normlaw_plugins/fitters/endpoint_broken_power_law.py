"""The endpoint law with one smooth break."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_registry import FitResult, Fitter, Params

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from normlaw_plugins.fitters.nonlinear import Points


class EndpointBrokenPowerLawParams(Params):
    """What is held fixed."""

    floor: float | None = Field(
        default=0.0, description="error as P -> infinity; fitted, not negative, when None"
    )


def fit(points: pd.DataFrame, params: EndpointBrokenPowerLawParams) -> FitResult:
    """Fit eps = q + b P^-c0 (1 + (P/d)^(1/f))^(-c1 f) by least squares of the log error.

    Returns:
        Parameters `gamma_meas` (= c0 + c1, the exponent beyond the break), `c0`, `c1`, `log_b`, `log_d` (the
        break's place), `f` (its sharpness: small is sharp) and, unless it is fixed, `q`.

    Raises:
        InputError: fewer points than parameters plus one.

    """
    import numpy as np

    from normlaw_plugins.fitters.nonlinear import Parameter, fit_nonlinear, log_above, log_sizes, start_line

    log_size = log_sizes(points)
    least = float(np.exp(points["log_error"].min()))
    slope, level = start_line(points, "log_error")
    low, high = float(log_size.min()), float(log_size.max())
    middles = tuple(low + share * (high - low) for share in (0.25, 0.5, 0.75))
    parameters = [
        Parameter("c0", (-0.5 * slope, -1.5 * slope)),
        Parameter("c1", (-0.5 * slope, 0.5 * slope)),
        Parameter("log_b", (level,)),
        Parameter("log_d", middles, low=low, high=high),
        Parameter("f", (0.3,), low=0.02, high=5.0),
    ]
    if params.floor is None:
        parameters.append(Parameter("q", (0.1 * least,), low=0.0, high=least))

    def model(theta: NDArray[np.float64], frame: Points) -> NDArray[np.float64]:
        c0, c1, log_b, log_d, f = theta[:5]
        x = log_sizes(frame)
        power = log_b - c0 * x - c1 * f * np.logaddexp(0.0, (x - log_d) / f)
        floor = params.floor if params.floor is not None else theta[5]
        return log_above(floor, power)

    return fit_nonlinear(
        "eps_opt = q + exp(log_b) P^-c0 (1 + (P/d)^(1/f))^(-c1 f)",
        points,
        "log_error",
        model,
        parameters,
        derived={"gamma_meas": lambda theta: float(theta[0] + theta[1])},
    )


endpoint_broken_power_law = Fitter(
    name="endpoint_broken_power_law",
    summary="Endpoint law with one smooth break; gamma_meas is the exponent beyond it",
    source="Caballero, Gupta, Rish, Krueger 2023 (arXiv 2210.14891), eq. 1 with one break",
    formula=(
        r"\varepsilon_{opt} = q + b P^{-c_0} \left(1 + (P/d)^{1/f}\right)^{-c_1 f}, \qquad \gamma = "
        r"c_0 + c_1"
    ),
    params=EndpointBrokenPowerLawParams,
    law="endpoint_law",
    fit=fit,
)
