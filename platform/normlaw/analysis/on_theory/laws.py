"""The laws of trained runs beside those of the exact curves at the same points, and beside known exponents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from normlaw.analysis.analyse import analyse
from normlaw.analysis.on_theory.agreement import Agreement
from normlaw.analysis.options import Options
from normlaw.analysis.results import Analysis
from normlaw.analysis.unfitted import NotFittedError
from normlaw_registry import EXPONENTS, Catalogue, InputError, validate_params

MIN_SIZES = 3
COLUMNS = ("setting", "exponent", "trained", "stderr", "exact_curves", "limit")


@dataclass(frozen=True)
class Laws:
    """What the laws are in trained runs, in the exact curves, and in the limit of many examples."""

    exponents: pd.DataFrame
    """A row a setting and exponent: trained with its stderr, of the exact curves at the same points by the same
    protocol, and known for many examples; NaN where there is none."""
    verdicts: tuple[tuple[str, str, str], ...]
    """(setting, what is judged, the verdict or why there is none)."""


def laws(
    agreement: Agreement, trained: Mapping[str, Analysis | None], catalogue: Catalogue, options: Options
) -> Laws:
    """Set the laws of each setting's test loss against the norm beside those of its exact curves.

    Args:
        agreement: trained runs beside exact points.
        trained: setting -> the laws fitted to its runs; None where none could be.
        catalogue: where the protocol comes from.
        options: how the trained runs were analysed.

    """
    rows: list[dict[str, object]] = []
    verdicts: list[tuple[str, str, str]] = []
    for setting, found in agreement.points.groupby("setting", sort=False):
        name = str(setting)
        curves = exact_curves(found)
        if curves is None:
            continue
        fitted: dict[str, Analysis | None] = {"trained runs": trained.get(name)}
        try:
            fitted["exact curves"] = analyse(curves, catalogue, replace(options, response="test_loss"))
        except NotFittedError as error:
            fitted["exact curves"] = None
            verdicts.append((name, "exact curves", str(error)))
        for what, analysis in fitted.items():
            if analysis is not None:
                verdicts.append((name, what, analysis.findings.verdict or "not judged"))
        known, why = known_exponents(agreement, name)
        if why:
            verdicts.append((name, "many examples", why))
        for exponent in EXPONENTS:
            one, other = (_estimate(analysis, exponent) for analysis in fitted.values())
            limit = known.get("gamma_pred" if exponent == "gamma_meas" else exponent, np.nan)
            rows.append(dict(zip(COLUMNS, (name, exponent, *one, other[0], limit), strict=True)))
    return Laws(pd.DataFrame(rows, columns=list(COLUMNS)), tuple(verdicts))


def exact_curves(points: pd.DataFrame) -> pd.DataFrame | None:
    """Return the exact curves of a setting's points as an analysis takes them; None: they are no such curves.

    They are where runs of several numbers of examples move along an axis, and test loss and norm are known.
    """
    if not {"test_loss", "norm"} <= set(points["observable"]) or "examples" not in points:
        return None
    wide = points.pivot_table(index=["examples", "at"], columns="observable", values="theory").reset_index()
    wide = wide[np.isfinite(wide["examples"])].dropna(subset=["test_loss", "norm", "at"])
    if wide["examples"].nunique() < MIN_SIZES:
        return None
    return pd.DataFrame(
        {
            "run": wide["examples"].map("exact {:g}".format),
            "train_size": wide["examples"].astype("int64"),
            "seed": 0,
            "log_norm": np.log(wide["norm"]),
            "test_loss": wide["test_loss"],
        }
    )


def known_exponents(agreement: Agreement, setting: str) -> tuple[Mapping[str, float], str]:
    """Return what the theory knows of a setting's exponents, or why there are none."""
    theory = agreement.theory
    if theory.exponents is None:
        return {}, ""
    params = next(run.counterpart.params for run in agreement.runs if run.setting == setting)
    try:
        return theory.exponents(validate_params(theory, dict(params))), ""
    except InputError as error:
        return {}, str(error)


def _estimate(analysis: Analysis | None, exponent: str) -> tuple[float, float]:
    if analysis is None:
        return np.nan, np.nan
    found = analysis.findings.estimates()[exponent]
    return found.value, found.stderr
