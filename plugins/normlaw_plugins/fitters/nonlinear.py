"""Nonlinear least squares for laws that are no line in logarithms.

scipy does the optimisation; what is added here is several starts, standard errors (clustered by run where
points are correlated), numbers derived from parameters by the delta method, and prediction intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from normlaw_registry import FitResult, InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Points = pd.DataFrame | Mapping[str, NDArray[Any]]
    """A frame or its columns of numbers as arrays: a search that asks a frame 10,000 times waits for it."""
    Model = Callable[[Floats, Points], Floats]

Residuals = Literal["log", "error"]
TOLERANCE = 1e-15
ROUGH = 1e-6
"""Of the searches among which the best is chosen: most come to one place, which one search then finds."""


@dataclass(frozen=True)
class Parameter:
    """A free parameter: where the search starts, and its bounds."""

    name: str
    starts: tuple[float, ...]
    low: float = -np.inf
    high: float = np.inf


class NonlinearResult(FitResult):
    """A fitted nonlinear law: its free parameters, after numbers derived from them by the delta method.

    Args:
        law: the formula, for people.
        model: (theta, points) -> natural log of the response, (n,).
        theta: estimates of the free parameters by name.
        covariance: of the free parameters, (k, k).
        freedom: degrees of freedom of the t limits.
        derived: numbers computed from theta, (k,), by name.
        nobs: number of points fitted.
        scale: residual standard deviation, in logs or in the response's own units as `residuals` says.
        residuals: which of the two were made least.
        at_bound: parameters that ended at a bound: their standard errors mean nothing there.

    """

    def __init__(
        self,
        law: str,
        model: Model,
        theta: Mapping[str, float],
        covariance: Floats,
        freedom: float,
        *,
        derived: Mapping[str, Callable[[Floats], float]],
        nobs: int,
        scale: float,
        residuals: Residuals = "log",
        at_bound: Sequence[str] = (),
    ) -> None:
        free: Floats = np.array(list(theta.values()), dtype=np.float64)

        def numbers(values: Floats) -> Floats:
            return np.array([function(values) for function in derived.values()], dtype=np.float64)

        slopes = np.vstack([_gradient(numbers, free), np.eye(len(free))])  # (reported, k)

        def response(points: pd.DataFrame, params: pd.Series[float]) -> Floats:
            values: Floats = np.asarray(params.to_numpy(), dtype=np.float64)
            return model(values[-len(free) :], points)

        super().__init__(
            dict(zip(derived, numbers(free), strict=True)) | dict(theta),
            np.asarray(slopes @ covariance @ slopes.T, dtype=np.float64),
            freedom,
            response,
            nobs=nobs,
            scatter=scale,
            law=law,
        )
        self.residuals, self.at_bound = residuals, tuple(at_bound)

    def own_scatter(self, log_response: Floats) -> Floats:
        """Return the standard deviation of one more run in logs, where the law predicts this response, (n,)."""
        own = super().own_scatter(log_response)
        return own if self.residuals == "log" else own / np.exp(log_response)

    def summary(self, alpha: float = 0.05) -> str:
        """Return a table of estimates, errors and limits of level 1 - alpha under the law's formula."""
        notes = [f"residuals of the {'log of the ' if self.residuals == 'log' else ''}response"]
        if self.at_bound:
            notes.append(f"at a bound: {', '.join(self.at_bound)}")
        return "\n".join([super().summary(alpha), *notes])

    def to_dict(self) -> dict[str, Any]:
        """Return everything in JSON's own types."""
        return {
            **super().to_dict(),
            "residual_sd": self.scatter,
            "residuals": self.residuals,
            "at_bound": list(self.at_bound),
        }


def fit_nonlinear(
    law: str,
    points: pd.DataFrame,
    response: str,
    model: Model,
    parameters: Sequence[Parameter],
    *,
    derived: Mapping[str, Callable[[Floats], float]] | None = None,
    residuals: Residuals = "log",
    clusters: pd.Series[Any] | None = None,
) -> NonlinearResult:
    """Fit by least squares from every combination of starts, and keep the best.

    Args:
        law: the formula, for people.
        points: the frame that the fitter was given.
        response: column with the natural log of the response.
        model: (theta, points) -> natural log of the response; points are a frame, or its columns of numbers.
        parameters: the free parameters.
        derived: further numbers to report, functions of theta.
        residuals: "log" takes residuals of the log response, "error" of the response itself.
        clusters: labels of correlated points; standard errors are then clustered by them.

    Raises:
        InputError: there are no more points than parameters, or no start leads to a solution.

    """
    from scipy.optimize import least_squares

    n, k = len(points), len(parameters)
    if n <= k:
        raise InputError(f"{law}: {k} parameters need at least {k + 1} points, got {n}")
    log_response = points[response].to_numpy(dtype=np.float64)
    low, high = (np.array([getattr(p, side) for p in parameters]) for side in ("low", "high"))

    columns = {str(name): column.to_numpy() for name, column in points.select_dtypes("number").items()}

    def misfit(theta: Floats) -> Floats:
        with np.errstate(all="ignore"):
            found = model(theta, columns)
            gap = found - log_response if residuals == "log" else np.exp(found) - np.exp(log_response)
        if np.isfinite(gap).all():
            return np.asarray(gap)
        return np.asarray(np.nan_to_num(gap, nan=1e6, posinf=1e6, neginf=-1e6))

    def searched(start: Floats, tolerance: float, slopes: Literal["2-point", "3-point"]) -> Any:
        ends = dict.fromkeys(("ftol", "xtol", "gtol"), tolerance)
        limits: Any = {"bounds": (low, high), "x_scale": "jac", "max_nfev": 500}
        return least_squares(misfit, start, jac=slopes, **limits, **ends)

    best = None
    for start in product(*(p.starts for p in parameters)):
        inside = np.clip(np.array(start, dtype=np.float64), low + 1e-12, high - 1e-12)
        found = searched(inside, ROUGH, "2-point")
        if np.isfinite(found.cost) and (best is None or found.cost < best.cost):
            best = found
    if best is not None:
        best = searched(np.clip(best.x, low, high), TOLERANCE, "3-point")
    if best is None or np.abs(misfit(best.x)).max() >= 1e6:
        raise InputError(
            f"{law}: no start of the search leads to a solution; the points do not follow this law"
        )
    theta = np.asarray(best.x, dtype=np.float64)
    jacobian = _gradient(misfit, theta)  # (n, k)
    bread = np.asarray(np.linalg.pinv(jacobian.T @ jacobian), dtype=np.float64)
    square = float(2 * best.cost) / (n - k)
    if clusters is None:
        covariance, freedom = square * bread, float(n - k)
    else:
        covariance, freedom = _sandwich(bread, jacobian, misfit(theta), clusters)
    near = 1e-8 * np.maximum(1.0, np.abs(theta))
    bound = [p.name for p, t, d in zip(parameters, theta, near, strict=True) if t - p.low < d or p.high - t < d]
    return NonlinearResult(
        law,
        model,
        {p.name: float(value) for p, value in zip(parameters, theta, strict=True)},
        covariance,
        freedom,
        derived=derived or {},
        nobs=n,
        scale=float(np.sqrt(square)),
        residuals=residuals,
        at_bound=bound,
    )


def log_sizes(points: Points) -> Floats:
    """Return ln P of each point, (n,)."""
    return np.asarray(np.log(np.asarray(points["train_size"], dtype=np.float64)))


def log_above(floor: float, log_power: Floats) -> Floats:
    """Return ln(floor + exp(log_power)), (n,); without a floor this is the power itself, to the last bit."""
    return log_power if floor == 0 else np.asarray(np.log(np.exp(log_power) + floor))


def start_line(points: pd.DataFrame, response: str) -> tuple[float, float]:
    """Return slope and intercept of the log response against ln P, where the searches begin.

    Raises:
        InputError: all points have one train size.

    """
    if points["train_size"].nunique() < 2:
        raise InputError("a law in P needs points of at least 2 train sizes, got 1")
    slope, level = np.polyfit(log_sizes(points), points[response].to_numpy(dtype=np.float64), 1)
    return float(slope), float(level)


def _sandwich(bread: Floats, jacobian: Floats, gap: Floats, clusters: pd.Series[Any]) -> tuple[Floats, float]:
    """Return the covariance clustered by run (Liang and Zeger 1986) and its degrees of freedom."""
    codes = clusters.astype("category").cat.codes.to_numpy()
    groups = int(codes.max()) + 1
    if groups < 2:
        raise InputError("standard errors clustered by run need at least 2 runs, got 1")
    scores = np.zeros((groups, jacobian.shape[1]))
    np.add.at(scores, codes, jacobian * gap[:, None])
    n, k = jacobian.shape
    correction = groups / (groups - 1) * (n - 1) / (n - k)
    return correction * bread @ scores.T @ scores @ bread, float(groups - 1)


def _gradient(function: Callable[[Floats], Floats], theta: Floats) -> Floats:
    """Return the derivatives of a vector with respect to theta by central differences, (n, k)."""
    columns = []
    for i in range(len(theta)):
        step = np.zeros_like(theta)
        size = abs(theta[i])
        step[i] = 6e-6 * (size if size > 1e-12 else 1.0)  # a parameter at its bound of zero is not always 0.0
        columns.append((function(theta + step) - function(theta - step)) / (2 * step[i]))
    return np.stack(columns, axis=1)
