"""A protocol whose model is the law that `synthetic` curves are drawn from: predictions have a known truth."""

from __future__ import annotations

from typing import Any

from normlaw_registry import AnalysisProtocol, Catalogue, Estimate, Findings, InputError, load_catalogue
from normlaw_registry.host import PluginRecord


def least_squares(curves: Any, params: Any, context: Any) -> Findings:
    """Fit ln error = a - b ln P to optima, and ln error = c - d ln norm before them; a tenth as half width."""
    import numpy as np
    import pandas as pd

    from normlaw_registry.curves import floats, run_optima

    if curves["train_size"].nunique() < 4:
        raise InputError("this model needs 4 train sizes")
    optima = run_optima(curves)
    slope, level = np.polyfit(np.log(floats(optima, "train_size")), floats(optima, "log_error"), 1)
    early = curves[curves["log_norm"] < 8]
    steep, height = np.polyfit(floats(early, "log_norm"), floats(early, "log_error"), 1)

    def predict(train_sizes: Any, log_norms: Any) -> Any:
        least = level + slope * np.log(train_sizes)
        centre = least if log_norms is None else np.maximum(height + steep * log_norms, least)
        return pd.DataFrame(
            {"log_error": centre, "log_error_low": centre - 0.1, "log_error_high": centre + 0.1}
        )

    def number(value: float) -> Estimate:
        return Estimate.normal(value, 0.01, context.confidence)

    return Findings(
        gamma_1=number(-steep),
        gamma_2=number(slope / steep),
        gamma_pred=number(-slope),
        gamma_meas=number(-slope),
        predict=predict,
    )


def catalogue_with(*components: Any) -> Catalogue:
    """Return the installed catalogue with components of a guest."""
    guest = PluginRecord(name="guest", module="guest", distribution="guest", version="1", components=components)
    return Catalogue.of([*load_catalogue().records, guest])


MODEL = AnalysisProtocol(name="two_lines", summary="Two lines through the curves", analyse=least_squares)
