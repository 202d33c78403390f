"""gamma_2 of every layer's norm, fitted to the norms that layers have at the optima of runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from normlaw.analysis.columns import PREFIX
from normlaw.analysis.layer_growth.at_optima import norms_at_optima
from normlaw_registry import LAW_EXPONENT, Catalogue, FitResult, Fitter, NormlawError, Response
from normlaw_registry.host.fitting import alpha_of, fit_guarded
from normlaw_registry.host.vectors import measure_of

LAW = "optimal_norm"
EXPONENT = LAW_EXPONENT[LAW]


@dataclass(frozen=True, kw_only=True)
class LayerGrowth:
    """How norms at the optimum grow with the train size."""

    table: pd.DataFrame
    """A row a norm and fitter, whole networks' norms before those of layers, layers in forward order: norm,
    measure, layer (empty: of the whole network, or of the last layer alone), fitter, gamma_2, stderr, low, high
    (confidence limits), told (grows, falls or neither: whether the limits leave zero out), runs, problem (why a
    law could not be fitted; empty otherwise)."""
    norms: pd.DataFrame
    """What was fitted: run, train_size, norm, log_norm (natural log, at the optimum of the run)."""
    simplest: str
    """The fitter of the fewest parameters, whose rows stand first."""
    method: tuple[str, ...]
    """How it was measured, a sentence each."""

    @property
    def rows(self) -> pd.DataFrame:
        """The rows of the simplest law."""
        return self.table[self.table["fitter"] == self.simplest].reset_index(drop=True)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables of a report by name."""
        return {"layer_growth": self.table, "layer_norms_at_optima": self.norms}

    def to_dict(self) -> dict[str, Any]:
        """Return all in JSON's own types."""
        return {
            "fitter": self.simplest,
            "method": list(self.method),
            "layers": self.table.to_dict("records"),
        }


def layer_growth(
    whole: pd.DataFrame,
    points: pd.DataFrame,
    optima: pd.DataFrame,
    catalogue: Catalogue,
    confidence: float,
    response: Response,
) -> LayerGrowth | None:
    """Fit each law of the optimal norm to every norm that was measured; None where no layer's was.

    Args:
        whole: the curves with a column log_norm/<measure>.<layer> for each norm of a layer, and run and step.
        points: those that were analysed, as `prepare` returns them.
        optima: of runs, as the protocol found them: run, train_size, log_norm, bracketed.
        catalogue: where the laws are found.
        confidence: level of the limits.
        response: what is least at an optimum.

    """
    columns = [c for c in map(str, whole.columns) if c.startswith(PREFIX)]
    named = [column.removeprefix(PREFIX) for column in columns]
    if not any(measure_of(name) != name for name in named) or not {"run", "step"} <= {*whole.columns}:
        return None
    if "step" not in points.columns:
        return None
    norms = norms_at_optima(whole, points, optima, columns)
    ordered = sorted(named, key=lambda name: measure_of(name) != name)
    rows: list[dict[str, Any]] = []
    sizes: dict[str, int] = {}
    for fitter in [catalogue.get(Fitter, name) for name in catalogue.names(Fitter)]:
        if fitter.law != LAW:
            continue
        for name in ordered:
            at = norms[norms["norm"] == name]
            row, fit = _row(fitter, name, at, catalogue, confidence)
            rows.append(row)
            if fit is not None:
                sizes[fitter.name] = len(fit.params)
    if not sizes:
        return None
    simplest = min(sizes, key=lambda name: (sizes[name], name))
    table = pd.DataFrame(rows).sort_values("fitter", key=lambda f: f != simplest, kind="stable")
    return LayerGrowth(
        table=table.reset_index(drop=True),
        norms=norms,
        simplest=simplest,
        method=_method(optima, simplest, response),
    )


def _row(
    fitter: Fitter, name: str, at: pd.DataFrame, catalogue: Catalogue, confidence: float
) -> tuple[dict[str, Any], FitResult | None]:
    measure = measure_of(name)
    about = {"norm": name, "measure": measure, "layer": name[len(measure) + 1 :], "fitter": fitter.name}
    points = at[["run", "train_size", "log_norm"]].reset_index(drop=True)
    try:
        fit = fit_guarded(fitter, points, catalogue)
    except NormlawError as error:
        missing = dict.fromkeys(("gamma_2", "stderr", "low", "high"), np.nan)
        return {**about, **missing, "told": "", "runs": len(points), "problem": str(error)}, None
    limits = fit.conf_int(alpha_of(confidence)).loc[EXPONENT].to_numpy(dtype="float64")
    low, high = float(limits[0]), float(limits[1])
    found = {
        "gamma_2": float(fit.params[EXPONENT]),
        "stderr": float(fit.bse[EXPONENT]),
        "low": low,
        "high": high,
        "told": "grows" if low > 0 else "falls" if high < 0 else "neither",
        "runs": len(points),
        "problem": "",
    }
    return {**about, **found}, fit


def _method(optima: pd.DataFrame, simplest: str, response: Response) -> tuple[str, ...]:
    ends = int((~optima["bracketed"].astype(bool)).sum()) if "bracketed" in optima.columns else 0
    bounds = (
        f"in {ends} of {len(optima)} runs the least {response.noun} is at one end of the curve, so that their "
        "norms are those reached, and no optima",
    )
    return (
        f"every norm is read where its run is at its least {response.noun} in the study's norm, linearly "
        "between measuring points, so that exponents of layers add up to that of their product",
        f"gamma_2 by the fitter {simplest}, one point a run",
        *(bounds if ends else ()),
    )
