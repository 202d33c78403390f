"""How much of what tells runs apart each variable explains, in runs and in arms that it was not fitted to.

The model is additive: ln error = b(ln P) + sum of f_v(ln v) over a set of variables v, each f_v a cubic spline
that goes on as a straight line, ridge-penalised. The penalty is the one of a grid with the least SSE, found
once for each set. Each run has the weight 1, shared by its points.

    across arms    each arm is told by the curve that is fitted to the other arms
    within arms    ln error has a level of its own in each arm; trunks, with their arms, are left out in fifths

    explained(S) = 1 - SSE(S) / SSE(no variable)

with SSE the sum over runs of the mean squared error of ln error. Errors are those of the jackknife over trunks
(Efron and Stein 1981, Annals of Statistics 9, 586), since a trunk and its arms are one draw.

The splines are scikit-learn's SplineTransformer. Its Ridge fits the same curves (a test holds them against each
other), but from the points each time: thousands of fits a setting, which the sums over a trunk's points in an
arm, taken once, make a hundred times cheaper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Variables = frozenset[str]
Comparison = Literal["across", "within"]
COMPARISONS: tuple[Comparison, ...] = ("across", "within")
KNOTS, SIZE_KNOTS = 6, 3
"""Of the spline of a variable, and of the train size."""
PENALTIES = np.logspace(-3, 2, 6)
FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Explained shares of sets of variables: the first number of all trunks, the others with one left out."""

    across: dict[Variables, Floats]
    """(1 + trunks,) each."""
    within: dict[Variables, Floats]
    """(1 + trunks,) each."""
    total: float
    """Root of SSE(no variable) across arms per run: what there is to explain, in ln of the error."""


def explained_shares(points: pd.DataFrame, variables: Sequence[str]) -> Shares:
    """Return the shares of every set of variables that the nested comparison asks for.

    Args:
        points: columns trunk, arm, train_size, y and the variables.
        variables: their names.

    """
    sets = [frozenset[str](), *map(frozenset, _sets(variables))]
    design = _Design(points, variables)
    found: dict[Comparison, dict[Variables, Floats]] = {}
    total = 0.0
    for comparison in COMPARISONS:
        errors = {chosen: design.errors(comparison, chosen) for chosen in sets}
        none = errors.pop(frozenset())
        found[comparison] = {chosen: 1 - of / none for chosen, of in errors.items()}
        total = total or float(none[0])  # across arms
    runs = points.groupby(["trunk", "arm"]).ngroups
    return Shares(across=found["across"], within=found["within"], total=float(np.sqrt(total / runs)))


def _sets(variables: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield each variable, each pair, all but each one, and all."""
    yielded = set()
    for size in (1, 2, len(variables) - 1, len(variables)):
        for chosen in combinations(variables, size) if size > 0 else ():
            if chosen not in yielded:
                yielded.add(chosen)
                yield chosen


def jackknife(values: Floats) -> tuple[float, float]:
    """Return the first value, and the standard error from the others, in each of which one trunk is left out.

    >>> jackknife(np.array([2.0, 2.5, 2.0, 1.5]))  # the mean of 1, 2 and 3
    (2.0, 0.5773502691896257)
    """
    left_out = values[1:]
    n = len(left_out)
    return float(values[0]), float(np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean()) ** 2)))


class _Design:
    """The columns of the model, made once."""

    def __init__(self, points: pd.DataFrame, variables: Sequence[str]) -> None:
        from sklearn.preprocessing import SplineTransformer

        self.y = points["y"].to_numpy(dtype=np.float64)
        self.arm, _ = pd.factorize(points["arm"])
        self.trunk, _ = pd.factorize(points["trunk"])
        runs, _ = pd.factorize(points["trunk"] + " " + points["arm"])
        self.weight = 1 / np.bincount(runs)[runs]

        def spline(column: Floats, knots: int, degree: int) -> Floats:
            if np.ptp(column) == 0:
                return np.zeros((len(column), 1))
            made = SplineTransformer(knots, degree=degree, extrapolation="linear", include_bias=False)
            unit = (column - column.min()) / np.ptp(column)
            return np.asarray(made.fit_transform(unit[:, None]), dtype=np.float64)

        self.size = spline(np.log(points["train_size"].to_numpy(dtype=np.float64)), SIZE_KNOTS, 2)
        self.of = {name: spline(points[name].to_numpy(dtype=np.float64), KNOTS, 3) for name in variables}
        self.levels = pd.get_dummies(points["arm"]).to_numpy(dtype=np.float64)

    def errors(self, comparison: Comparison, variables: Variables) -> Floats:
        """Return SSE with all trunks, then with each left out, (1 + trunks,)."""
        across = comparison == "across"
        parts = [self.size, *([] if across else [self.levels]), *(self.of[name] for name in sorted(variables))]
        sums = _sums(
            np.hstack(parts), self.y, self.weight, self.trunk, self.arm if across else self.trunk % FOLDS
        )
        tried = [_left_out(sums, penalty, every=True)[0] for penalty in PENALTIES]
        return _left_out(sums, float(PENALTIES[int(np.argmin(tried))]))


Sums = tuple[Floats, Floats, Floats]
"""Gram matrices (cells, k, k), moments (cells, k) and squares (cells,) of the points of a trunk in a part."""


def _sums(design: Floats, y: Floats, weight: Floats, trunk: NDArray[np.int64], part: NDArray[np.int64]) -> Sums:
    """Return the sums over the points of each trunk in each part, (trunks, parts, ...), a constant first."""
    columns = np.hstack([np.ones((len(y), 1)), design])
    y = y - y.mean()
    shape = (trunk.max() + 1, part.max() + 1)
    k = columns.shape[1]
    gram, moment, square = np.zeros((*shape, k, k)), np.zeros((*shape, k)), np.zeros(shape)
    for t, p in np.unique(np.stack([trunk, part]), axis=1).T:
        own = (trunk == t) & (part == p)
        weighted = columns[own] * weight[own, None]
        gram[t, p] = weighted.T @ columns[own]
        moment[t, p] = weighted.T @ y[own]
        square[t, p] = np.sum(weight[own] * y[own] ** 2)
    return gram, moment, square


def _left_out(sums: Sums, penalty: float, *, every: bool = False) -> Floats:
    """Return the squared error of each part, told by a fit to the others, (1 + trunks,).

    Args:
        sums: of `_sums`.
        penalty: on the squares of all coefficients but that of the constant.
        every: whether to do so with all trunks only, (1,).

    """
    without = [each.sum(axis=0)[None] - (0 if every else each) for each in sums]
    gram, moment, square = (np.concatenate([s.sum(axis=0)[None], w])[: 1 if every else None]
                            for s, w in zip(sums, without, strict=True))  # fmt: skip
    k = gram.shape[-1]
    ridge = penalty * np.eye(k)
    ridge[0, 0] = 0.0
    rest = gram.sum(axis=1, keepdims=True) - gram + ridge  # (1 + trunks, parts, k, k)
    right = moment.sum(axis=1, keepdims=True) - moment
    curve = np.linalg.solve(rest, right[..., None])[..., 0]
    errors = square - 2 * np.sum(curve * moment, axis=-1) + np.einsum("tpi,tpij,tpj->tp", curve, gram, curve)
    total: Floats = np.maximum(errors, 0.0).sum(axis=1)
    return total
