"""The extrapolating estimator M4: a power law between a floor and the error of guessing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_registry import FitResult, Fitter, InputError, Params

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from normlaw_plugins.fitters.nonlinear import Points


class EndpointM4Params(Params):
    """The error of guessing."""

    guess_error: float = Field(
        default=1.0,
        gt=0,
        description="error eps_0 of guessing, as P -> 0: 0.9 for ten equal classes; of a loss, ln 10 = 2.303",
    )


def fit(points: pd.DataFrame, params: EndpointM4Params) -> FitResult:
    """Fit (eps - q) / (eps_0 - eps)^a = b P^-gamma_meas by least squares of the log error.

    Returns:
        Parameters `gamma_meas`, `log_b`, `a` (how slowly the curve leaves eps_0; 0 is the power law with a
        floor) and `q` (the floor).

    Raises:
        InputError: fewer than 5 points, or an error not below `guess_error`.

    """
    import numpy as np

    from normlaw_plugins.fitters.nonlinear import Parameter, fit_nonlinear, log_sizes, start_line

    top = params.guess_error
    highest, least = (float(np.exp(points["log_error"].agg(end))) for end in ("max", "min"))
    if highest >= top:
        raise InputError(f"M4: the error {highest:g} is not below that of guessing, guess_error = {top:g}")
    slope, level = start_line(points, "log_error")
    parameters = [
        Parameter("gamma_meas", (-slope, -2 * slope)),
        Parameter("log_b", (level,)),
        Parameter("a", (0.1, 1.0), low=0.0, high=20.0),
        Parameter("q", (0.05 * least, 0.6 * least), low=0.0, high=least),
    ]

    def model(theta: NDArray[np.float64], frame: Points) -> NDArray[np.float64]:
        gamma, log_b, a, floor = theta
        right = log_b - gamma * log_sizes(frame)
        return np.asarray(np.log(floor + (top - floor) * _share(right, a, top - floor)))

    return fit_nonlinear(
        f"(eps_opt - q) / ({top:g} - eps_opt)^a = exp(log_b) P^-gamma_meas",
        points,
        "log_error",
        model,
        parameters,
    )


def _share(right: NDArray[np.float64], a: float, span: float) -> NDArray[np.float64]:
    """Return s = (eps - q)/span in (0, 1) with ln(s span) - a ln((1 - s) span) = right.

    With s = 1/(1 + e^-u) the left side rises in u with slopes between 1 and a, so that Newton steps on a
    convex or concave function from the better of its two asymptotes converge without a bracket.
    """
    import numpy as np

    target = right - (1 - a) * np.log(span)
    u = np.where(target < 0, target, target / max(a, 1e-3))
    u = np.clip(u, -700.0, 700.0)
    for _ in range(60):
        value = -np.logaddexp(0.0, -u) + a * np.logaddexp(0.0, u) - target
        share = 1 / (1 + np.exp(-u))
        step = value / (1 - share + a * share)
        u = np.clip(u - step, -700.0, 700.0)
        if np.abs(step).max() < 1e-14 * (1 + np.abs(u).max()):
            break
    return np.asarray(1 / (1 + np.exp(-u)))


endpoint_m4 = Fitter(
    name="endpoint_m4",
    summary="Endpoint law M4: a power law between a floor and the error of guessing, made to extrapolate",
    source="Alabdulmohsin, Neyshabur, Zhai 2022 (arXiv 2209.06640), estimator M4",
    formula=r"\frac{\varepsilon_{opt} - q}{(\varepsilon_0 - \varepsilon_{opt})^a} = b P^{-\gamma}",
    params=EndpointM4Params,
    law="endpoint_law",
    fit=fit,
)
