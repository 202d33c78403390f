"""`normlaw.collapse`: normalised curves against the noise floor of their seeds, without a server and a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from normlaw.study.collapse_choice import TRAIN_SIZE, Abscissa, checked_abscissa
from normlaw_registry import InputError, Response

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.scaling_collapse import ScalingCollapse
    from normlaw_registry.response import Quantity


def collapse(
    curves: pd.DataFrame | Path | str,
    abscissa: Abscissa = "steps",
    *,
    over: str = TRAIN_SIZE,
    norm: str | None = None,
    response: Quantity = "test_loss",
    floor: float | None = None,
    confidence: float = 0.95,
    draws: int = 400,
) -> ScalingCollapse:
    """Compare normalised curves of several sizes with the noise floor of their seeds; pure, nothing is written.

    `normlaw analyse STUDY --collapse` does so with the runs of a study, whose compute it knows.

    Args:
        curves: what `curves` returns; a frame with the column of the sizes (`over`), test_loss or test_error,
            run or seed, and step, compute (what was spent up to there, in any unit) or log_norm (natural log)
            as the abscissa asks; or the path of a file of curves. Runs of one size differ in their seed alone.
        abscissa: "compute" or "steps", over what is spent at the end; "norm", over the optimal norm; or
            "departure", over the norm at which a train size leaves the envelope.
        over: the column of the sizes: numbers, or lists, whose largest number is the size.
        norm: the measure, where there are several; default: the study's, else the first.
        response: "test_loss" or "test_error".
        floor: L0, what the loss is known to be at least; default: fitted to the final losses of 5 sizes or
            more on compute and steps, else 0.
        confidence: level of all limits.
        draws: resamplings of the runs, which give the errors.

    Raises:
        InputError: a column is missing, fewer than 3 sizes have two runs, the curves have no range in common,
            or they belong to several settings.

    """
    from normlaw.analysis import Options
    from normlaw.analysis.scaling_collapse import scaling_collapse
    from normlaw.verbs._curves import SETTINGS, given_curves

    kind = checked_abscissa(abscissa)
    measured = Response(quantity=response, floor=floor or 0.0)
    options = Options(response=response, floor=floor, collapse=kind, confidence=confidence)
    frame: pd.DataFrame
    if isinstance(curves, str | Path):
        given = given_curves(curves, norm, options)
        frame, norm = (given.points if given.whole is None else given.whole), given.norm
    else:
        frame = curves
        _of_one_ladder(frame, over, tuple(frame.attrs.get(SETTINGS, ())))
    departures: dict[float, float] | None = None
    if kind == "departure":
        if over != TRAIN_SIZE:
            raise InputError(f"collapse: departure norms are those of train sizes, not of {over!r}: take norm")
        departures = _departures(frame, norm, response, floor)
    return scaling_collapse(
        frame,
        kind,
        over=over,
        norm=norm,
        response=measured,
        floor=floor,
        confidence=confidence,
        draws=draws,
        departures=departures,
    )


def _of_one_ladder(frame: pd.DataFrame, over: str, settings: tuple[str, ...]) -> None:
    """Refuse the curves of a study whose runs of one size differ in more than their seed."""
    for name in (*settings, TRAIN_SIZE):
        if name == over or name not in frame or over not in frame:
            continue
        counts = frame[[over, name]].astype(str).drop_duplicates()[over].value_counts()
        if counts.max() > 1:
            raise InputError(
                f"collapse: runs of one {over} belong to {counts.max()} values of {name!r}: choose one by "
                f"curves[curves[{name!r}] == ...], or, if it holds the sizes, say over={name!r}"
            )


def _departures(
    frame: pd.DataFrame, norm: str | None, response: Quantity, floor: float | None
) -> dict[float, float]:
    """Return ln of the departure norm of each train size, by the default protocol."""
    from normlaw.verbs.fit import fit

    table = fit(frame, norm=norm, response=response, floor=floor).findings.tables["departures"]
    return dict(zip(table["train_size"].astype(float), table["log_norm"].astype(float), strict=True))
