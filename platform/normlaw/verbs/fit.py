"""`normlaw.fit`: the laws of curves, without a server and without a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from normlaw_registry import load_catalogue

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis import Analysis


def fit(curves: pd.DataFrame | Path | str, *, norm: str | None = None, **choices: Any) -> Analysis:
    """Fit the laws to curves; pure: no server, no file is written.

    Args:
        curves: what `curves` returns, all of one setting; a frame with the columns train_size, log_norm
            (natural log) and test_error (fraction) or test_loss; or the path of a CSV file with these.
        norm: the measure to read the laws in, where there are several; default: the first.
        choices: fields of `Options`, such as response, floor, confidence, hold_out, compare_norms, fitters
            (names, or names with parameters), protocol (by default the study's own) and protocol_params.

    Raises:
        InputError: the curves cannot be used, belong to several settings, or hold too little for the laws.

    """
    from normlaw.analysis import analyse
    from normlaw.verbs._curves import given_curves, options_of

    given = given_curves(curves, norm, options_of(choices))
    return analyse(given.points, load_catalogue(), given.options, given.whole)
