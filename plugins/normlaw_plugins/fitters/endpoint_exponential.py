"""The endpoint law as exponential saturation: eps_opt = q + (eps_0 - q) exp(-P/tau)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from normlaw_registry import FitResult, Fitter, Params

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from normlaw_plugins.fitters.nonlinear import Points


class EndpointExponentialParams(Params):
    """What is held fixed, and what the residuals are of."""

    error_at_zero: float | None = Field(default=None, description="error eps_0 as P -> 0; fitted when None")
    residuals: Literal["log", "error"] = Field(
        default="log", description="least squares of the log error, or of the error itself"
    )


def fit(points: pd.DataFrame, params: EndpointExponentialParams) -> FitResult:
    """Fit eps_opt = q + (eps_0 - q) exp(-P/tau) by nonlinear least squares.

    Returns:
        Parameters `gamma_meas` (the law has no exponent: this is its local one, -d ln eps / d ln P, at the
        largest P fitted), `q`, `log_tau` and, unless it is fixed, `eps_0`.

    Raises:
        InputError: fewer points than parameters plus one.

    """
    import numpy as np

    from normlaw_plugins.fitters.nonlinear import Parameter, fit_nonlinear

    size = points["train_size"].to_numpy(dtype=np.float64)
    error = np.exp(points["log_error"].to_numpy(dtype=np.float64))
    last = float(error[size == size.max()].mean())
    first = float(error[size == size.min()].mean())
    taus = tuple(float(np.log(size.max() * share)) for share in (0.1, 0.4, 1.5))
    parameters = [Parameter("q", (last, 0.5 * last), low=0.0), Parameter("log_tau", taus)]
    if params.error_at_zero is None:
        parameters.append(Parameter("eps_0", (first, 2 * first), low=0.0))

    def model(theta: NDArray[np.float64], frame: Points) -> NDArray[np.float64]:
        p = np.asarray(frame["train_size"], dtype=np.float64)
        start = params.error_at_zero if params.error_at_zero is not None else theta[2]
        return np.asarray(np.log(theta[0] + (start - theta[0]) * np.exp(-p * np.exp(-theta[1]))))

    def local_exponent(theta: NDArray[np.float64]) -> float:
        import pandas as pd

        step = 1e-4
        around = pd.DataFrame({"train_size": size.max() * np.exp([-step, step])})
        low, high = model(theta, around)
        return float(-(high - low) / (2 * step))

    return fit_nonlinear(
        "eps_opt = q + (eps_0 - q) exp(-P/tau)",
        points,
        "log_error",
        model,
        parameters,
        derived={"gamma_meas": local_exponent},
        residuals=params.residuals,
    )


endpoint_exponential = Fitter(
    name="endpoint_exponential",
    summary="Endpoint law as exponential saturation; gamma_meas is its local exponent at the largest P",
    source="Exponential family of learning curves: Viering and Loog 2022 (arXiv 2103.10948), table 1",
    formula=r"\varepsilon_{opt} = q + (\varepsilon_0 - q)\, e^{-P/\tau}",
    params=EndpointExponentialParams,
    law="endpoint_law",
    fit=fit,
)
