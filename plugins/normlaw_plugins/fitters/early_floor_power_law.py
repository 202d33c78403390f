"""The early law with its offset: eps = k1(P) * lambda^-gamma_1 + q1."""

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
    """Fit eps = exp(log_k1[P]) lambda^-gamma_1 + q1 by least squares of the log error, clustered by run.

    Returns:
        Parameters `gamma_1`, `q1` (not negative) and, for each train size P, `log_k1[P]`.

    Raises:
        InputError: fewer points than parameters plus one, or fewer than 2 runs.

    """
    import numpy as np

    from normlaw_plugins.fitters.nonlinear import Parameter, fit_nonlinear, log_above

    sizes = sorted(points["train_size"].unique())
    x = points["log_norm"].to_numpy(dtype=np.float64)
    y = points["log_error"].to_numpy(dtype=np.float64)
    which = np.searchsorted(sizes, points["train_size"])
    count = np.bincount(which)
    x_mean, y_mean = np.bincount(which, x) / count, np.bincount(which, y) / count
    away = x - x_mean[which]
    slope = -float((away * (y - y_mean[which])).sum() / max(float((away**2).sum()), 1e-300))
    least = float(np.exp(y.min()))
    levels = y_mean + slope * x_mean
    parameters = [
        Parameter("gamma_1", (slope, 1.5 * slope)),
        Parameter("q1", (0.02 * least, 0.5 * least), low=0.0, high=least),
        *(Parameter(f"log_k1[{size}]", (float(level),)) for size, level in zip(sizes, levels, strict=True)),
    ]

    def model(theta: NDArray[np.float64], frame: Points) -> NDArray[np.float64]:
        level = theta[2:][np.searchsorted(sizes, frame["train_size"])]
        power = level - theta[0] * np.asarray(frame["log_norm"], dtype=np.float64)
        return log_above(theta[1], power)

    return fit_nonlinear(
        "eps = exp(log_k1[P]) lambda^-gamma_1 + q1",
        points,
        "log_error",
        model,
        parameters,
        clusters=points["run"],
    )


early_floor_power_law = Fitter(
    name="early_floor_power_law",
    summary="Early law with an offset: eps = k1(P) lambda^-gamma_1 + q1, q1 >= 0, errors clustered by run",
    source="D'Amico, Bocchi, Negri 2025 (arXiv 2505.13230), early law",
    formula=r"\varepsilon = k_1(P)\, \lambda^{-\gamma_1} + q_1, \qquad q_1 \ge 0",
    law="early_law",
    fit=fit,
)
