"""A fit of statsmodels behind the interface that every fitter returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from normlaw_plugins.fitters.estimates import as_dict
from normlaw_registry import InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Design = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class StatsmodelsResult:
    """A linear model fitted by statsmodels, with the function that makes its regressors from points."""

    law: str
    """The formula, for people."""
    results: Any
    """statsmodels' own results object."""
    design: Design

    @property
    def params(self) -> pd.Series[float]:
        """Estimates by parameter name."""
        return self.results.params  # type: ignore[no-any-return]

    @property
    def bse(self) -> pd.Series[float]:
        """Standard errors by parameter name."""
        return self.results.bse  # type: ignore[no-any-return]

    @property
    def nobs(self) -> int:
        """Number of points fitted."""
        return int(self.results.nobs)

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Return confidence limits of level 1 - alpha, columns 0 and 1."""
        return self.results.conf_int(alpha)  # type: ignore[no-any-return]

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
            "law": self.law,
            **as_dict(self),
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
