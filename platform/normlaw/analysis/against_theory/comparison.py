"""Measured curves against exact ones: agreement point by point, optima, slopes, and free against held norm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from normlaw.analysis.against_theory.laws import collapse_of, exponents_of
from normlaw.analysis.against_theory.optima import EXACT, Array, measured_optimum, optimum_of, standard_error
from normlaw_registry.curves.columns import floats


@dataclass(frozen=True)
class Comparison:
    """The tables of a comparison; errors are fractions, norms natural logs, `stderr` over runs."""

    agreement: pd.DataFrame
    """A row a setting, load and norm: theory, mean, stderr, runs, z = (mean - theory) / stderr."""
    optima: pd.DataFrame
    """A row a setting and load: log_norm and error at the least error, with standard errors; steepest: the
    largest -dln(error)/dln(norm) of the mean curve between norm 1 and its optimum (NaN below 1)."""
    pairs: pd.DataFrame
    """A row a pair of settings, load and norm: mean ratio of their errors on the same data, and stderr."""
    references: pd.DataFrame
    """A row a load: alpha, train_size, and the errors to compare with that the theory gives."""
    exponents: pd.DataFrame
    """A row a setting and exponent: value and stderr of a line through the loads from `laws.FIRST_ALPHA` on."""
    collapse: pd.DataFrame
    """A row a setting and first load: how far the mean curves of the loads from there on spread, at most, for
    norms in `laws.COLLAPSE_WINDOW` of their optimum: (largest - least) / mean of error over least error."""

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by name."""
        return {
            "agreement": self.agreement,
            "optima": self.optima,
            "pairs": self.pairs,
            "references": self.references,
            "exponents": self.exponents,
            "collapse": self.collapse,
        }


AGREEMENT = ("setting", "alpha", "log_norm", "theory", "mean", "stderr", "runs", "z")
PAIRS = ("first", "second", "alpha", "log_norm", "ratio", "stderr")


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
            runs = measured[setting][measured[setting]["train_size"] == size]
            optima.append({"setting": setting, **measured_optimum(runs, agreement[-1], alphas[size])})
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
    table, points = pd.DataFrame(optima), stacked(agreement, AGREEMENT)
    return Comparison(
        agreement=points,
        optima=table,
        pairs=stacked(pairs, PAIRS),
        references=references.sort_values("alpha").reset_index(drop=True),
        exponents=exponents_of(table, references, points),
        collapse=collapse_of(points),
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
