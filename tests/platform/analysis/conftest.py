"""Synthetic studies with known laws, and the paper's published mean curves where they are at hand."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from normlaw_registry import Catalogue, load_catalogue

ROOT = Path(__file__).parents[3]


def synthetic_study(
    *,
    gamma_1: float = 0.5,
    gamma_2: float = 1.0,
    sizes: tuple[int, ...] = (1000, 2000, 4000, 8000, 16000, 32000),
    seeds: int = 5,
    points: int = 50,
    noise: float = 0.01,
    seed_offset: float = 0.02,
    optimum_scatter: float = 0.1,
    rise: float = 1.0,
    reach: float = 7.0,
    ceiling: float = 0.9,
    floor: float = 0.0,
    generator: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Return curves eps = k1 lambda^-gamma_1 (1 + (gamma_1/rise) (lambda/lambda_opt)^(gamma_1 + rise)) + floor.

    Without floor the least error lies at lambda_opt = k2 P^gamma_2 exactly. Early on the error saturates
    below `ceiling`. `noise` is the standard deviation of each log error, `seed_offset` that of a run's level,
    `optimum_scatter` that of a run's log optimal norm.
    """
    rng = generator or np.random.default_rng(0)
    frames = []
    for size in sizes:
        for seed in range(seeds):
            log_optimum = gamma_2 * np.log(size / sizes[0]) + 10 + optimum_scatter * rng.normal()
            x = np.linspace(10 - reach, 12 + gamma_2 * np.log(size / sizes[0]), points)
            law = np.log(0.2) - gamma_1 * (x - 10) + seed_offset * rng.normal()
            law += np.log1p(gamma_1 / rise * np.exp((gamma_1 + rise) * (x - log_optimum)))
            error = np.exp(law) + floor
            error = (error**-8 + ceiling**-8) ** (-1 / 8) * np.exp(noise * rng.normal(size=points))
            frames.append(
                pd.DataFrame(
                    {
                        "run": f"{size}/{seed}",
                        "train_size": size,
                        "seed": seed,
                        "log_norm": x,
                        "test_error": np.minimum(error, 1.0),
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="session")
def make_study() -> Callable[..., pd.DataFrame]:
    return synthetic_study


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="session")
def paper_curves() -> Path:
    """Return the folder of the paper's published mean curves; it is not part of the project."""
    candidates = [ROOT.parent / "shared" / "paper_curves", Path("/work/shared/paper_curves")]
    if given := os.environ.get("NORMLAW_PAPER_CURVES"):
        candidates.insert(0, Path(given))
    for folder in candidates:
        if (folder / "published.json").is_file():
            return folder
    pytest.skip("the paper's curves are not at hand: set NORMLAW_PAPER_CURVES to their folder")


@pytest.fixture(scope="session")
def published(paper_curves: Path) -> dict[str, Any]:
    return json.loads((paper_curves / "published.json").read_text())
