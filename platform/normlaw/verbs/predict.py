"""`normlaw predict`: the error at other train sizes and norms, from a fitted model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from normlaw.analysis.prediction import Prediction, finite_log, log_of_norm, whole_sizes
from normlaw.analysis.prediction import predict as of_curves
from normlaw.base.html import Several, paragraph, together
from normlaw.study.study import Study
from normlaw.tracking.settings import label
from normlaw.tracking.store import StudyStore
from normlaw.tracking.study_run import unit_of
from normlaw.tracking.tidy import tidy
from normlaw.verbs._curves import given_curves
from normlaw.verbs._options import choices_of
from normlaw.verbs.load_study import name_of
from normlaw_registry import load_catalogue
from normlaw_registry.response import Quantity


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """The prediction for one setting of a study, or for one frame of curves."""

    setting: dict[str, str]
    """The fewest parameters that tell this group of runs from the study's others; empty for a sole group."""
    norm: str
    """The measure that norms are of."""
    prediction: Prediction

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        about = [label(self.setting), f"norm {self.norm}"]
        return together(paragraph(", ".join(filter(None, about))), self.prediction._repr_html_())

    def to_dict(self) -> dict[str, Any]:
        """Return everything in JSON's own types."""
        return {"setting": self.setting, "norm": self.norm, **self.prediction.to_dict()}


def predict(
    source: str | Study | pd.DataFrame | Path,
    train_sizes: float | Sequence[float],
    *,
    norm_values: Sequence[float] = (),
    log_norms: Sequence[float] = (),
    norm: str | None = None,
    hold_out: int | None = None,
    tracking_uri: str | None = None,
    protocol: str | None = None,
    protocol_params: Mapping[str, Any] | None = None,
    confidence: float = 0.95,
    response: Quantity | None = None,
    floor: float | None = None,
    from_norm: float | None = None,
    from_train_size: int | None = None,
    offsets: bool = False,
    draws: int | None = None,
    bootstrap_seed: int | None = None,
    window: tuple[float | None, float | None] | None = None,
    first_index: int | None = None,
    gamma2_first_index: int | None = None,
) -> list[Predicted]:
    """Predict errors at other train sizes and norms by the model that a protocol fits; `normlaw predict`.

    Args:
        source: a study or its name; or curves, as a frame that `fit` takes or the `Path` of a CSV file; these
            need no server.
        train_sizes: one or several, of any size.
        norm_values: norms to predict at. With no norm: the least error of each train size.
        log_norms: norms as natural logs, in addition.
        norm: the measure that the norms are of; default: the study's own.
        hold_out: how many of the largest train sizes are left out, in order, to score the predictions; 0: none;
            default: 4, or as many as leave 3 to fit.
        tracking_uri: MLflow server.
        protocol: how the laws are fitted, by name; default: the study's own, else what `normlaw plugins` marks.
        protocol_params: the protocol's parameters; those left out have their defaults.
        confidence: level of the confidence limits.
        response: what falls with the norm: "test_error" or "test_loss"; default: the study's, else the error.
        floor: what the response is known to be at least; the laws of its excess are fitted.
        from_norm: norms below are left out.
        from_train_size: train sizes below are left out.
        offsets: parameter of the protocol, as are those below: fit q1 and q2 too, and compare with none.
        draws: how many draws the bootstrap makes.
        bootstrap_seed: seed of the bootstrap.
        window: limits of lambda/lambda_opt in the early fit; None leaves a side open.
        first_index: the early law is fitted from this train size on, counted from 0.
        gamma2_first_index: the law of the optimal norm likewise.

    Returns:
        For each setting of the study its prediction: `.prediction.table`, `.scores`, `.by_size`.

    Raises:
        InputError: a train size below 1, a norm that is not positive, no such study, curves that cannot be
            used, or a protocol that has no model to predict with.

    """
    options = choices_of({name: value for name, value in locals().items() if name != "hold_out"})
    catalogue = load_catalogue()
    sizes = [train_sizes] if isinstance(train_sizes, int | float) else list(train_sizes)
    logs = [*(log_of_norm(value) for value in norm_values), *log_norms]
    if not isinstance(source, str | Study):
        given = given_curves(source, norm, options)
        prediction = of_curves(given.points, catalogue, sizes, logs, given.options, hold_out, given.unit)
        return Several([Predicted(setting={}, norm=given.norm, prediction=prediction)])
    whole_sizes(sizes)  # what is wrong here needs no server
    for log_norm in logs:
        finite_log(log_norm)
    store = StudyStore.open(name_of(source), tracking_uri)
    norm = norm or store.norm
    options = options.within(store.choices, norm == store.norm)
    found: Several[Predicted] = Several()
    for setting, members in store.groups(norm):
        curves, chosen = tidy(store.curves(members), norm)
        prediction = of_curves(curves, catalogue, sizes, logs, options, hold_out, unit_of(members))
        found.append(Predicted(setting=setting, norm=chosen, prediction=prediction))
    return found
