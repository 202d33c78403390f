"""`normlaw.horizons`: how long each size is best trained, from runs at a constant rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.study.study import Study
    from normlaw_registry.response import Quantity


def horizons(
    curves: str | Study | pd.DataFrame,
    over: str,
    *,
    response: Quantity = "test_loss",
    tracking_uri: str | None = None,
) -> pd.DataFrame:
    """Return the compute-optimal number of steps of each size.

    At each compute one size has the least mean loss; a power law of the compute at which sizes have it, without
    the first and the last of them, is where training of each size should stop (Qiu et al. 2025, arXiv
    2507.02119).

    Args:
        curves: a study or its name, whose runs are at a constant rate and long enough for their curves to
            cross; or a frame with run, step, compute (in any unit), the sizes, and test_loss or test_error.
        over: what holds the sizes: a parameter of the runs, such as "architecture.hidden", or a column.
        response: "test_loss" or "test_error".
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Returns:
        A row a size, smallest first: size, steps, compute, on_envelope (from at how many of 200 values of
        compute it has the least loss). `attrs["gamma"]`: steps grow as size^gamma.

    Raises:
        InputError: no such study or column, the runs belong to several ladders, or too few curves cross.

    """
    import pandas as pd

    from normlaw.analysis.scaling_collapse.horizon import compute_optimal_horizons
    from normlaw.tracking.ladders import ladders, with_sizes
    from normlaw.tracking.settings import label
    from normlaw.tracking.store import StudyStore
    from normlaw.verbs._compute import with_compute
    from normlaw.verbs.load_study import name_of
    from normlaw_registry import InputError, load_catalogue

    if isinstance(curves, pd.DataFrame):
        return compute_optimal_horizons(curves, over, response)
    store = StudyStore.open(name_of(curves), tracking_uri)
    found = ladders(store.finished("training", "imported"), over)
    if len(found) > 1:
        told = "; ".join(label(setting) for setting, _ in found)
        raise InputError(f"horizons: the study has {len(found)} ladders of sizes ({told}), and one is taken")
    ((_, members),) = found
    frame = store.curves(members)
    frame = with_compute(with_sizes(frame, members, over), store, members, load_catalogue())
    return compute_optimal_horizons(frame, over, response)
