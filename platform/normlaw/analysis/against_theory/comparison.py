"""Measured curves against exact ones: agreement point by point, optima, slopes, and free against held norm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from normlaw.analysis.columns import floats

Array = NDArray[np.float64]

EXACT = "theory"
"""What the theory is called in the column `setting`."""


@dataclass(frozen=True)
class Comparison:
    """The tables of a comparison; errors are fractions, norms natural logs, `stderr` over runs."""

    agreement: pd.DataFrame
    """A row a setting, load and norm: theory, mean, stderr, runs, z = (mean - theory) / stderr."""
    optima: pd.DataFrame
    """A row a setting and load: log_norm and error at the least error, with standard errors; steepest: the
    largest -dln(error)/dln(norm) between norm 1 and the optimum, mean over runs (NaN if that is below 1)."""
    pairs: pd.DataFrame
    """A row a pair of settings, load and norm: mean ratio of their errors on the same data, and stderr."""
    references: pd.DataFrame
    """A row a load: alpha, train_size, and the errors to compare with that the theory gives."""
    exponents: pd.DataFrame
    """A row a setting and exponent: value and stderr of a line through the loads from `FIRST_ALPHA` on."""

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by name."""
        return {
            "agreement": self.agreement,
            "optima": self.optima,
            "pairs": self.pairs,
            "references": self.references,
            "exponents": self.exponents,
        }


AGREEMENT = ("setting", "alpha", "log_norm", "theory", "mean", "stderr", "runs", "z")
PAIRS = ("first", "second", "alpha", "log_norm", "ratio", "stderr")
FIRST_ALPHA = 8.0
"""Below this load the laws of the perceptron have not set in."""


def compare(measured: Mapping[str, pd.DataFrame], theory: pd.DataFrame, references: pd.DataFrame) -> Comparison:
    """Compare measured curves with exact ones.

    Args:
        measured: curves by setting: run, train_size, seed, log_norm, test_error.
        theory: exact curves: alpha, train_size, log_norm, test_error; only loads that were measured count.
        references: alpha, train_size and a column for each error to compare with.

    """
    exact = by_size_of(theory)
    alphas = {size: float(curve["alpha"].iloc[0]) for size, curve in exact.items()}
    grids = {size: floats(curve, "log_norm") for size, curve in exact.items()}
    resampled = {
        setting: {
            size: on_grid(group, grids[size]) for size, group in by_size_of(frame).items() if size in exact
        }
        for setting, frame in measured.items()
    }
    agreement, optima, pairs = [], [], []
    for size, curve in exact.items():
        optima.append({"setting": EXACT, **optimum_of(curve, alphas[size])})
        for setting, by_size in resampled.items():
            if size not in by_size:
                continue
            errors = np.exp(by_size[size].to_numpy())  # (runs, norms)
            agreement.append(agreement_of(setting, alphas[size], curve, errors))
            optima.append({"setting": setting, **measured_optimum(measured[setting], size, alphas[size])})
        for first, second in combinations(resampled, 2):
            if size in resampled[first] and size in resampled[second]:
                pairs.append(
                    ratio_of(
                        first,
                        second,
                        alphas[size],
                        resampled[first][size],
                        resampled[second][size],
                        grids[size],
                    )
                )
    table = pd.DataFrame(optima)
    return Comparison(
        agreement=stacked(agreement, AGREEMENT),
        optima=table,
        pairs=stacked(pairs, PAIRS),
        references=references.sort_values("alpha").reset_index(drop=True),
        exponents=exponents_of(table, references),
    )


def stacked(parts: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Return the parts below each other; the columns are there even where there is no part."""
    return pd.concat(parts, ignore_index=True)[list(columns)] if parts else pd.DataFrame(columns=list(columns))


def by_size_of(curves: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """Return the rows of each train size, by size and norm."""
    sizes = sorted({int(size) for size in curves["train_size"].to_numpy()})
    return {size: curves[curves["train_size"] == size].sort_values("log_norm") for size in sizes}


def on_grid(curves: pd.DataFrame, grid: Array) -> pd.DataFrame:
    """Return ln(error) of each run at the grid's norms, (runs, norms) indexed by seed; NaN outside a run."""
    rows = {}
    for (seed, _), run in curves.groupby(["seed", "run"]):
        ordered = run.sort_values("log_norm")
        x, y = floats(ordered, "log_norm"), np.log(floats(ordered, "test_error"))
        inside = (grid >= x[0] - 1e-4) & (grid <= x[-1] + 1e-4)  # norms of runs are rounded to float32
        rows[seed] = np.where(inside, np.interp(grid, x, y), np.nan)
    return pd.DataFrame.from_dict(rows, orient="index")


def agreement_of(setting: str, alpha: float, exact: pd.DataFrame, errors: Array) -> pd.DataFrame:
    """Return one setting's and load's rows of `Comparison.agreement`; errors are (runs, norms)."""
    mean = errors.mean(axis=0)
    stderr = standard_error(errors)
    theory = floats(exact, "test_error")
    return pd.DataFrame(
        {
            "setting": setting,
            "alpha": alpha,
            "log_norm": floats(exact, "log_norm"),
            "theory": theory,
            "mean": mean,
            "stderr": stderr,
            "runs": len(errors),
            "z": np.divide(mean - theory, stderr, out=np.full_like(mean, np.nan), where=stderr > 0),
        }
    )


def ratio_of(
    first: str, second: str, alpha: float, one: pd.DataFrame, other: pd.DataFrame, grid: Array
) -> pd.DataFrame:
    """Return a pair's rows of `Comparison.pairs`, from the seeds that both settings have."""
    shared = one.index.intersection(other.index)
    ratios = np.exp((one.loc[shared] - other.loc[shared]).to_numpy())  # (seeds, norms)
    return pd.DataFrame(
        {
            "first": first,
            "second": second,
            "alpha": alpha,
            "log_norm": grid,
            "ratio": ratios.mean(axis=0),
            "stderr": standard_error(ratios),
        }
    )


def standard_error(values: Array) -> Array:
    """Return the standard error of the mean over the first axis; NaN for a single row."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return np.asarray(values.std(axis=0, ddof=1) / np.sqrt(len(values)))


def optimum_of(curve: pd.DataFrame, alpha: float) -> dict[str, float]:
    """Return the optimum of one curve, by a cubic spline through its logarithms."""
    x, y = floats(curve, "log_norm"), np.log(floats(curve, "test_error"))
    spline = CubicSpline(x, y)
    turns = [float(root) for root in spline.derivative().roots(extrapolate=False)] + [float(x[0]), float(x[-1])]
    best = min(turns, key=lambda place: float(spline(place)))
    early = np.linspace(0.0, best, 500) if x[0] <= 0.0 < best else np.array([])
    return {
        "alpha": alpha,
        "log_norm": best,
        "log_norm_stderr": 0.0,
        "error": float(np.exp(spline(best))),
        "error_stderr": 0.0,
        "steepest": float(-spline.derivative()(early).min()) if early.size else float("nan"),
    }


def measured_optimum(frame: pd.DataFrame, size: int, alpha: float) -> dict[str, float]:
    """Return the mean optimum of the runs of a size, and their mean steepest slope."""
    here = frame[frame["train_size"] == size]
    runs = [optimum_of(run.sort_values("log_norm"), alpha) for _, run in here.groupby("run")]
    values = np.array([[run["log_norm"], run["error"]] for run in runs])
    (norm, error), (norm_stderr, error_stderr) = values.mean(axis=0), standard_error(values)
    return {
        "alpha": alpha,
        "log_norm": float(norm),
        "log_norm_stderr": float(norm_stderr),
        "error": float(error),
        "error_stderr": float(error_stderr),
        "steepest": float(np.mean([run["steepest"] for run in runs])),
    }


def exponents_of(optima: pd.DataFrame, references: pd.DataFrame) -> pd.DataFrame:
    """Return gamma_1 (steepest slope at the largest load), gamma_2, and gamma of error/error_0, by setting.

    error_0 is the error at small norm, Hebb's rule: relative to it, gamma = gamma_1 * gamma_2.
    """
    rows = []
    for setting, all_loads in optima.groupby("setting", sort=False):
        group = all_loads[all_loads["alpha"] >= FIRST_ALPHA].sort_values("alpha")
        if len(group) < 3:
            continue
        largest = group.iloc[-1]
        rows.append({"setting": setting, "exponent": "gamma_1", "value": largest["steepest"], "stderr": np.nan})
        lines = {"gamma_2": (floats(group, "log_norm"), 1.0)}
        if "hebb" in references.columns:
            start = references.set_index("alpha")["hebb"].reindex(group["alpha"]).to_numpy(dtype=np.float64)
            lines["gamma"] = (np.log(floats(group, "error") / start), -1.0)
        for name, (values, sign) in lines.items():
            slope, stderr = line(np.log(floats(group, "alpha")), values)
            rows.append({"setting": setting, "exponent": name, "value": sign * slope, "stderr": stderr})
    return pd.DataFrame(rows, columns=["setting", "exponent", "value", "stderr"])


def line(x: Array, y: Array) -> tuple[float, float]:
    """Return slope and standard error of the least-squares line."""
    from scipy.stats import linregress

    fit = linregress(x, y)
    return float(fit.slope), float(fit.stderr)
