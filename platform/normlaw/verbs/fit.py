"""`normlaw.fit`: the laws of curves, without a server and without a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normlaw.verbs._options import choices_of
from normlaw_registry import load_catalogue

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis import Analysis
    from normlaw.analysis.options import Fitters
    from normlaw.study.collapse_choice import Abscissa
    from normlaw_registry.response import Quantity


def fit(
    curves: pd.DataFrame | Path | str,
    *,
    norm: str | None = None,
    protocol: str | None = None,
    protocol_params: Mapping[str, Any] | None = None,
    confidence: float = 0.95,
    response: Quantity | None = None,
    floor: float | None = None,
    from_norm: float | None = None,
    from_train_size: int | None = None,
    hold_out: int = 0,
    predict_at: Sequence[int] = (),
    compare_norms: bool = False,
    collapse: Abscissa | None = None,
    collapse_over: str | None = None,
    fitters: Fitters = (),
    offsets: bool = False,
    draws: int | None = None,
    bootstrap_seed: int | None = None,
    window: tuple[float | None, float | None] | None = None,
    first_index: int | None = None,
    gamma2_first_index: int | None = None,
) -> Analysis:
    """Fit the laws to curves; pure: no server, no file is written.

    Args:
        curves: what `curves` returns, all of one setting; a frame with the columns train_size, log_norm
            (natural log) and test_error (fraction) or test_loss; or the path of a CSV file with these.
        norm: the measure to read the laws in, where there are several; default: the first.
        protocol: how the laws are fitted, by name; default: the study's own, else what `normlaw plugins` marks.
        protocol_params: the protocol's parameters; those left out have their defaults.
        confidence: level of the confidence limits.
        response: what falls with the norm: "test_error" or "test_loss"; default: the study's, else the error.
        floor: what the response is known to be at least; the laws of its excess are fitted.
        from_norm: norms below are left out.
        from_train_size: train sizes below are left out.
        hold_out: how many of the largest train sizes the laws of the endpoint are scored on.
        predict_at: train sizes at which every law of the endpoint predicts the least error.
        compare_norms: whether to say in which norm, or in which other clock, the curves lie on one envelope.
        collapse: compare normalised curves with the noise floor of their seeds on "compute", "steps", "norm"
            (over
            the optimal norm) or "departure" (over the departure norm).
        collapse_over: what holds the sizes of that comparison: "train_size"; for others see `collapse`.
        fitters: fitters that fit their laws too: names, `NAME:KEY=VALUE,...`, or names with parameters.
        offsets: parameter of the protocol, as are those below: fit q1 and q2 too, and compare with none.
        draws: how many draws the bootstrap makes.
        bootstrap_seed: seed of the bootstrap.
        window: limits of lambda/lambda_opt in the early fit; None leaves a side open.
        first_index: the early law is fitted from this train size on, counted from 0.
        gamma2_first_index: the law of the optimal norm likewise.

    Raises:
        InputError: the curves cannot be used, belong to several settings, or hold too little for the laws.

    """
    options = choices_of(locals())
    from normlaw.analysis import analyse
    from normlaw.verbs._curves import given_curves

    given = given_curves(curves, norm, options)
    return analyse(given.points, load_catalogue(), given.options, given.whole, given.unit)
