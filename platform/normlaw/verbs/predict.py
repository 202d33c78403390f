"""Predictions for a study: its curves from MLflow, a prediction for each of its settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from normlaw.analysis import Options
from normlaw.analysis.prediction import Prediction, finite_log, predict, whole_sizes
from normlaw.tracking import keys
from normlaw.tracking.client import connect
from normlaw.tracking.reader import find_experiment, read_curves
from normlaw.verbs.analyse import groups_of_runs, tidy

if TYPE_CHECKING:
    from normlaw_registry import Catalogue


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """The prediction for one setting of a study, or for one frame of curves."""

    setting: dict[str, str]
    """The fewest parameters that tell this group of runs from the study's others; empty for a sole group."""
    norm: str
    """The measure that norms are of."""
    prediction: Prediction

    def to_dict(self) -> dict[str, Any]:
        """Return everything in JSON's own types."""
        return {"setting": self.setting, "norm": self.norm, **self.prediction.to_dict()}


def predict_study(
    study: str,
    catalogue: Catalogue,
    train_sizes: Sequence[float],
    log_norms: Sequence[float] = (),
    *,
    norm: str | None = None,
    options: Options | None = None,
    hold_out: int | None = None,
    tracking_uri: str | None = None,
) -> Iterator[Predicted]:
    """Predict errors of every setting of a study; nothing is written. Arguments as `predict` has them.

    Raises:
        InputError: no server, no such study, no finished runs, and as `predict`.

    """
    whole_sizes(train_sizes)  # what is wrong here needs no server
    for log_norm in log_norms:
        finite_log(log_norm)
    client = connect(tracking_uri, "read")
    experiment = find_experiment(client, study)
    own_norm = experiment.tags.get(keys.NORM)
    norm = norm or own_norm
    options = (options or Options()).within(keys.read_analysis_tag(experiment.tags), norm == own_norm)
    for setting, members in groups_of_runs(client, experiment, norm):
        curves, chosen = tidy(read_curves(client, members), norm)
        prediction = predict(curves, catalogue, train_sizes, log_norms, options, hold_out)
        yield Predicted(setting=setting, norm=chosen, prediction=prediction)
