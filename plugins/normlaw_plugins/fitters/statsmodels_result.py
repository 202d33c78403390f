"""A fit of statsmodels behind the interface that every fitter returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from normlaw_registry import FitResult, InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Design = Callable[[pd.DataFrame], pd.DataFrame]


class StatsmodelsResult(FitResult):
    """A linear model fitted by statsmodels.

    Args:
        law: the formula, for people.
        results: statsmodels' own results object.
        design: makes its regressors from points.

    """

    def __init__(self, law: str, results: Any, design: Design) -> None:
        self.results, self.design = results, design
        super().__init__(
            results.params,
            results.cov_params(),
            float(getattr(results, "df_resid_inference", results.df_resid)),
            lambda points, params: design(points).to_numpy() @ params.to_numpy(),
            nobs=int(results.nobs),
            scatter=float(np.sqrt(results.scale)),
            law=law,
        )

    def predict(self, points: pd.DataFrame) -> NDArray[np.float64]:
        """Return the fitted response, (n,)."""
        return np.asarray(self.results.predict(self.design(points)), dtype=np.float64)

    def prediction_interval(self, points: pd.DataFrame, alpha: float = 0.05) -> NDArray[np.float64]:
        """Return limits for the response of one new run, (n, 2): parameter and run scatter together."""
        prediction = self.results.get_prediction(self.design(points))
        return np.asarray(prediction.conf_int(obs=True, alpha=alpha), dtype=np.float64)

    def summary(self, alpha: float = 0.05) -> str:
        """Return statsmodels' table under the law's formula, its limits of level 1 - alpha."""
        return f"{self.law}\n{self.results.summary(slim=True, alpha=alpha)}"

    def to_dict(self) -> dict[str, Any]:
        """Return estimates, errors, limits and the quality of the fit in JSON's own types."""
        return {
            **super().to_dict(),
            "rsquared": float(self.results.rsquared),
            "cov_type": str(self.results.cov_type),
        }


def fit_linear(
    law: str,
    points: pd.DataFrame,
    response: str,
    design: Design,
    *,
    clusters: pd.Series[Any] | None = None,
    cov_type: str = "nonrobust",
) -> StatsmodelsResult:
    """Fit `response` by ordinary least squares on `design(points)`.

    Args:
        law: the formula, for people.
        points: the frame that the fitter was given.
        response: name of the column to explain.
        design: makes the regressors, one column a parameter.
        clusters: labels of correlated points; standard errors are then clustered by them.
        cov_type: statsmodels' name of the covariance when there are no clusters.

    Raises:
        InputError: there are no more points than parameters, or the regressors are not independent.

    """
    import statsmodels.api as sm

    regressors = design(points)
    n, k = regressors.shape
    if n <= k:
        raise InputError(f"{law}: {k} parameters need at least {k + 1} points, got {n}")
    if np.linalg.matrix_rank(regressors.to_numpy()) < k:
        raise InputError(f"{law}: the points do not determine all {k} parameters (too few distinct abscissae)")
    model = sm.OLS(points[response], regressors)
    if clusters is None:
        return StatsmodelsResult(law, model.fit(cov_type=cov_type, use_t=True), design)
    codes = clusters.astype("category").cat.codes.to_numpy()
    if len(set(codes)) < 2:
        raise InputError(f"{law}: standard errors clustered by run need at least 2 runs, got 1")
    return StatsmodelsResult(law, model.fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True), design)
