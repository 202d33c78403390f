"""What the model of a protocol predicts at any train size and norm, with the record of such predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite, log
from typing import Any

import numpy as np
import pandas as pd

from normlaw.analysis.choosing import choose
from normlaw.analysis.curves import prepare, restricted
from normlaw.analysis.hold_out import FEWEST_LEFT, in_order, scores
from normlaw.analysis.model import checked, own_model
from normlaw.analysis.options import MAX_SIZE, Options
from normlaw.analysis.ranges import LARGEST_LOG
from normlaw.analysis.running import run
from normlaw_registry import AnalysisWarning, Catalogue, InputError, Response
from normlaw_registry.curves import floats, run_optima
from normlaw_registry.dataset import EXAMPLES
from normlaw_registry.errors import brief

FOLDS = 4
"""Largest train sizes that are left out in order unless something else is asked for."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Errors that a fitted model predicts, and how good its predictions have been."""

    protocol: str
    confidence: float
    """Level of all limits."""
    response: Response
    """What is predicted: columns called after the error hold it."""
    train_sizes: tuple[int, ...]
    """Those that the model was fitted to."""
    unit: str = field(default=EXAMPLES, kw_only=True)
    """What train sizes count."""
    table: pd.DataFrame
    """A row a train size and norm: train_size, decades (log10 of its ratio to the largest size fitted),
    log_norm (natural; NaN: the norm of least error, so that the least error is predicted), test_error, low,
    high."""
    scores: pd.DataFrame
    """How well the model and every endpoint law predicted the largest train sizes: see `hold_out.scores`."""
    by_size: pd.DataFrame
    """The same for each train size that was left out."""
    held_out: pd.DataFrame
    """Each prediction that the scores are made of: see `hold_out.fold`."""
    warnings: tuple[AnalysisWarning, ...] = ()
    """Of the analysis that the model comes from."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from normlaw.analysis.notebook import prediction_html

        return prediction_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything in JSON's own types."""
        return {
            "protocol": self.protocol,
            "confidence": self.confidence,
            "response": {"quantity": self.response.quantity, "floor": self.response.floor},
            "train_sizes": list(self.train_sizes),
            "train_size_unit": self.unit,
            "predictions": self._records(self.table),
            "scores": self._records(self.scores),
            "scores_by_size": self._records(self.by_size),
            "held_out": self._records(self.held_out),
            "warnings": [{"code": w.code, "message": w.message} for w in self.warnings],
        }

    def _records(self, table: pd.DataFrame) -> list[dict[str, Any]]:
        """Return a table's rows, columns about the error called after the response."""
        return [
            {str(name): value for name, value in row.items()}
            for row in table.rename(columns=self.response.column).to_dict("records")
        ]


def predict(
    curves: pd.DataFrame,
    catalogue: Catalogue,
    train_sizes: Sequence[float],
    log_norms: Sequence[float] = (),
    options: Options | None = None,
    hold_out: int | None = None,
    unit: str = EXAMPLES,
) -> Prediction:
    """Fit a protocol's model to curves, and ask it for errors.

    Args:
        curves: as `analyse` takes them.
        catalogue: where the protocol and the endpoint laws are found.
        train_sizes: whole numbers of at least 1, not only of the sizes measured.
        log_norms: natural logs; with none, the least error of each train size is predicted.
        options: the protocol and its choices, and the confidence level.
        hold_out: how many of the largest train sizes are left out, in order, to score predictions of the least
            error; 0 for no score; None: as many as leave 3 to fit, `FOLDS` at most.
        unit: what train sizes count.

    Raises:
        InputError: a train size or norm is none, the curves cannot be used, the protocol has no model that
            predicts, or `hold_out` leaves fewer than 3 train sizes.
        NormlawError: the protocol failed in a way of its own; names the plugin.

    """
    sizes, norms = whole_sizes(train_sizes), [finite_log(norm) for norm in log_norms]
    options = options or Options()
    chosen = choose(options, catalogue)
    protocol, params = chosen.protocol, chosen.params
    points, warnings = prepare(restricted(curves, options), options.measured)
    findings = run(protocol, params, points, catalogue, options.confidence, options.measured)
    ask = checked(protocol.name, findings.predict, catalogue)
    fitted = sorted(int(size) for size in points["train_size"].unique())
    count = min(len(fitted) - FEWEST_LEFT, FOLDS) if hold_out is None else hold_out
    table = pd.DataFrame({"train_size": np.repeat(sizes, max(len(norms), 1))})
    at = floats(table, "train_size")
    log_norm = np.tile(np.asarray(norms, dtype=np.float64), len(sizes)) if norms else None
    said = ask(at, log_norm)
    table = table.assign(
        decades=np.log10(at / fitted[-1]),
        log_norm=np.nan if log_norm is None else log_norm,
        test_error=np.exp(floats(said, "log_error")),
        low=np.exp(floats(said, "log_error_low")),
        high=np.exp(floats(said, "log_error_high")),
    )
    held = pd.DataFrame()
    if count:
        own = own_model(protocol, params, points, catalogue, options)
        held = in_order(run_optima(points), catalogue, count, options.confidence, own)
    return Prediction(
        protocol=protocol.name,
        confidence=options.confidence,
        response=options.measured,
        train_sizes=tuple(fitted),
        unit=unit,
        table=table,
        scores=scores(held) if count else held,
        by_size=scores(held, ("train_size", "fitter")) if count else held,
        held_out=held,
        warnings=(*chosen.notes, *warnings, *findings.warnings),
    )


def whole_sizes(sizes: Sequence[float]) -> list[int]:
    """Return train sizes as whole numbers.

    Raises:
        InputError: there is none, or one is no whole number between 1 and 2^53.

    """
    if not sizes:
        raise InputError("predict: name at least one train size, such as --train-size 1e6")
    for size in sizes:
        if not 1 <= size <= MAX_SIZE or size != int(size):
            raise InputError(f"a train size is a whole number between 1 and 2^53, got {brief(size)}")
    return [int(size) for size in sizes]


def finite_log(log_norm: float) -> float:
    """Return a natural log of a norm.

    Raises:
        InputError: it is not finite, or larger than any network's.

    """
    if not isfinite(log_norm) or abs(log_norm) > LARGEST_LOG:
        raise InputError(f"the log of a norm must lie within +-{LARGEST_LOG:,}, got {brief(log_norm)}")
    return float(log_norm)


def log_of_norm(value: float) -> float:
    """Return the natural log of a norm.

    Raises:
        InputError: it is not finite or not positive.

    """
    if not (isfinite(value) and value > 0):
        raise InputError(f"a norm must be positive and finite, got {brief(value)}")
    return log(value)
