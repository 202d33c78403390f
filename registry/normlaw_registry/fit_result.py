"""What a fitter returns: estimates with their covariance, and the law that they are the parameters of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Covariance = pd.DataFrame | Floats
    Predict = Callable[[pd.DataFrame, pd.Series[float]], Floats | pd.Series[float]]

PARTS = ("params", "bse", "nobs", "conf_int", "predict", "summary", "to_dict")
"""What the host asks of every result."""


class _HasTheParts(type):
    """An object that has all that the host asks for is a result too, whatever its class."""

    def __instancecheck__(cls, instance: object) -> bool:
        return super().__instancecheck__(instance) or all(hasattr(instance, part) for part in PARTS)


class FitResult(metaclass=_HasTheParts):
    """A fitted law. Four things make one; a subclass replaces what it knows better than their defaults.

    Args:
        params: estimates by parameter name, in the order in which they are shown.
        covariance: of the estimates, (k, k) in the same order.
        freedom: degrees of freedom of all limits: Student's t with so many; `math.inf` for normal limits.
        predict: (points, params) -> natural log of the law's response, (n,), for the columns that were fitted
            and any values of the parameters: limits of a prediction need its derivatives.
        nobs: number of points fitted; by default `freedom` and one more for each parameter.
        scatter: standard deviation of one more run about the law, in logs. None: not known, and limits for one
            more run are NaN.
        law: the formula, for people.

    Raises:
        ValueError: the covariance is not that of so many parameters, or nothing says how many points there are.

    """

    _scatter: float | None = None  # of a subclass that makes its own members and calls no __init__
    _law = ""

    def __init__(
        self,
        params: Mapping[str, float] | pd.Series[float],
        covariance: Covariance,
        freedom: float,
        predict: Predict,
        *,
        nobs: int | None = None,
        scatter: float | None = None,
        law: str = "",
    ) -> None:
        import numpy as np
        import pandas as pd

        self._params: pd.Series[float] = pd.Series(dict(params.items()), dtype="float64")
        names = list(self._params.index)
        values = np.asarray(covariance, dtype=np.float64)
        if values.shape != (len(names), len(names)):
            raise ValueError(f"{len(names)} parameters have a covariance of as many rows, got {values.shape}")
        if nobs is None and not math.isfinite(freedom):
            raise ValueError(
                "without a finite number of degrees of freedom say how many points there are: nobs=..."
            )
        self._covariance = pd.DataFrame(values, names, names)
        self._freedom = float(freedom)
        self._nobs = int(freedom + len(names)) if nobs is None else nobs
        self._scatter = scatter
        self._law = law
        self._predict = predict

    @property
    def params(self) -> pd.Series[float]:
        """Estimates by parameter name."""
        return self._params

    @property
    def covariance(self) -> pd.DataFrame:
        """Covariance of the estimates, rows and columns by parameter name."""
        return self._covariance

    @property
    def freedom(self) -> float:
        """Degrees of freedom of all limits; infinite for normal ones."""
        return self._freedom

    @property
    def nobs(self) -> int:
        """Number of points fitted."""
        return self._nobs

    @property
    def scatter(self) -> float | None:
        """Standard deviation of one more run about the law, in logs; None where it is not known."""
        return self._scatter

    @property
    def law(self) -> str:
        """The formula, for people."""
        return self._law

    @property
    def bse(self) -> pd.Series[float]:
        """Standard errors by parameter name: roots of the covariance's diagonal."""
        import numpy as np
        import pandas as pd

        variances = np.diag(self.covariance.to_numpy(dtype=np.float64))
        return pd.Series(np.sqrt(np.maximum(variances, 0.0)), self.params.index)

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Return confidence limits: one row a parameter, columns 0 (lower) and 1 (upper), level 1 - alpha."""
        import pandas as pd

        reach = self.quantile(alpha) * self.bse
        return pd.DataFrame({0: self.params - reach, 1: self.params + reach})

    def predict(self, points: pd.DataFrame) -> Floats:
        """Return the law's response, (n,): natural log of error or norm, for the same columns as fitted."""
        return self._response(points, self.params)

    def prediction_interval(self, points: pd.DataFrame, alpha: float = 0.05) -> Floats:
        """Return limits for the log response of one more run, (n, 2), level 1 - alpha.

        The uncertainty of the parameters (delta method) and the run's own scatter together. NaN where the
        scatter is not known.
        """
        import numpy as np

        centre = self.predict(points)
        if self.scatter is None:
            return np.full((len(centre), 2), math.nan)
        slope = self._slope(points)  # (n, k)
        variance = np.einsum("ni,ij,nj->n", slope, self.covariance.to_numpy(dtype=np.float64), slope)
        reach = self.quantile(alpha) * np.sqrt(np.maximum(variance, 0.0) + self.own_scatter(centre) ** 2)
        return np.stack([centre - reach, centre + reach], axis=1)

    def own_scatter(self, log_response: Floats) -> Floats:
        """Return the standard deviation of one more run in logs, where the law predicts this response, (n,)."""
        import numpy as np

        return np.full(len(log_response), math.nan if self.scatter is None else self.scatter)

    def summary(self, alpha: float = 0.05) -> str:
        """Return a table to be read: estimates, errors and limits of level 1 - alpha."""
        import pandas as pd

        limits = self.conf_int(alpha)
        low, high = f"{alpha / 2:.4g}", f"{1 - alpha / 2:.4g}"
        table = pd.DataFrame({"coef": self.params, "std err": self.bse, low: limits[0], high: limits[1]})
        notes = f"points {self.nobs}"
        if self.scatter is not None:
            notes += f", standard deviation of a run {self.scatter:.4g}"
        return "\n".join(filter(None, [self.law, table.to_string(float_format="{:.6g}".format), notes]))

    def to_dict(self) -> dict[str, Any]:
        """Return everything that JSON should keep, in JSON's own types."""
        limits = self.conf_int()
        pairs = zip(limits.index, limits[0], limits[1], strict=True)
        return {
            "law": self.law,
            "params": {str(name): float(value) for name, value in self.params.items()},
            "bse": {str(name): float(value) for name, value in self.bse.items()},
            "conf_int": {str(name): [float(low), float(high)] for name, low, high in pairs},
            "nobs": int(self.nobs),
        }

    def quantile(self, alpha: float) -> float:
        """Return how many standard errors limits of level 1 - alpha are away from the estimate."""
        from scipy import stats

        return float(stats.t.ppf(1 - alpha / 2, self.freedom))

    def _response(self, points: pd.DataFrame, params: pd.Series[float]) -> Floats:
        import numpy as np

        return np.asarray(self._predict(points, params), dtype=np.float64)

    def _slope(self, points: pd.DataFrame) -> Floats:
        """Return the response's derivatives with respect to the parameters by central differences, (n, k)."""
        import numpy as np

        columns = []
        for place, value in enumerate(self.params):
            step = 6e-6 * (abs(value) if abs(value) > 1e-12 else 1.0)
            moved = step * (np.arange(len(self.params)) == place)
            above, below = (self._response(points, self.params + way * moved) for way in (1.0, -1.0))
            columns.append((above - below) / (2 * step))
        return np.stack(columns, axis=1)
