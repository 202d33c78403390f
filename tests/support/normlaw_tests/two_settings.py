"""Curves as `normlaw.curves` has them, of two settings and two norms, that obey the laws up to some scatter."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import normlaw
from normlaw_tests.exact_curves import exact_error
from normlaw_tests.figure_files import cheapest

SETTING = "optimizer.weight_decay"
SIZES = (100, 200, 400, 800)


def two_settings(seeds: int = 3, scatter: float = 0.02) -> pd.DataFrame:
    """Return the curves; of the second setting the error falls as norm^-0.45 before it departs.

    Args:
        seeds: curves of each train size and setting.
        scatter: standard deviation of ln error between curves.

    """
    draws = np.random.default_rng(1)
    x = np.linspace(0, 8, 30)
    frames = []
    for setting, slope in (("0.0", 0.0), ("0.1", 0.05)):
        for size in SIZES:
            for seed in range(seeds):
                norms = x + draws.normal(0, 0.01, len(x)).cumsum()
                error = 0.7 * exact_error(norms, size) * np.exp(slope * norms + draws.normal(0, scatter))
                frames.append(
                    pd.DataFrame(
                        {
                            "run": f"{setting}-{size}-{seed}",
                            "train_size": size,
                            "seed": seed,
                            SETTING: setting,
                            "step": np.arange(len(x)),
                            "epoch": np.arange(len(x)) / 7,
                            "test/error": error,
                            "test/loss": 3 * error,
                            "train/error": 0.5 * error,
                            "log_norm/first": norms,
                            "log_norm/second": np.where(np.arange(len(x)) < 3, np.nan, 2 * norms + 1 / 3),
                        }
                    )
                )
    return pd.concat(frames, ignore_index=True)


def of_the_first(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the curves of the first setting, as those of a study that has no other."""
    return curves[curves[SETTING] == "0.0"].drop(columns=SETTING)


def work_in(folder: Path, patch: pytest.MonkeyPatch, empty_database: Path | None = None) -> None:
    """Make a folder the working one, whose store is used; analyses draw one figure.

    Args:
        folder: the folder.
        patch: undoes it.
        empty_database: a store to begin with; None: the folder has one.

    """
    if empty_database is not None:
        shutil.copy(empty_database, folder / "mlflow.db")
    patch.chdir(folder)
    patch.delenv("MLFLOW_TRACKING_URI", raising=False)
    patch.setattr("normlaw.analysis.figures.drawn_of", cheapest)


def import_frame(curves: pd.DataFrame, study: str, file: str = "") -> None:
    """Import curves into a study of the working folder's store, from a file there."""
    path = file or f"{study}.csv"
    curves.to_csv(path, index=False)
    normlaw.import_curves(path, study)
