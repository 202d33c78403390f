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
    shape: str = "turn",
    gamma_1: float = 0.5,
    gamma_2: float = 1.0,
    sizes: tuple[int, ...] = (1000, 2000, 4000, 8000, 16000, 32000),
    seeds: int = 3,
    points: int = 30,
    noise: float = 0.01,
    seed_offset: float = 0.02,
    optimum_scatter: float = 0.1,
    rise: float = 1.0,
    reach: float = 7.0,
    ceiling: float = 0.9,
    floor: float = 0.0,
    generator: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Return curves with known laws: z = ln(lambda/lambda_opt), lambda_opt = e^10 (P/P_0)^gamma_2.

    Shapes: "turn" is lambda^-gamma_1 (1 + (gamma_1/rise) e^((gamma_1 + rise) z)), least at z = 0 exactly;
    "sum" is e^(-gamma_1 z) + 0.2 e^(rise z); "kink" falls with gamma_1 and rises with `rise`, bent sharply.
    Early on the error saturates at `ceiling`, and `floor` is added (q1). `noise` is the standard deviation of
    each log error, `seed_offset` that of a run's level, `optimum_scatter` that of its log optimal norm.
    """
    rng = generator or np.random.default_rng(0)
    size = np.repeat(sizes, seeds)  # (runs,)
    grown = gamma_2 * np.log(size / sizes[0])[:, None]  # (runs, 1)
    log_optimum = grown + 10 + optimum_scatter * rng.normal(size=(len(size), 1))
    x = 10 - reach + (reach + 2 + grown) * np.linspace(0, 1, points)  # (runs, points)
    z = x - log_optimum
    if shape == "turn":
        bend = np.log1p(gamma_1 / rise * np.exp((gamma_1 + rise) * z))
    elif shape == "sum":
        bend = np.log1p(0.2 * np.exp((gamma_1 + rise) * z))
    else:
        bend = (gamma_1 + rise) * np.maximum(z, 0.0)
    law = np.log(0.2) - gamma_1 * (x - 10) + bend + seed_offset * rng.normal(size=(len(size), 1))
    error = np.minimum(np.exp(law) + floor, ceiling) if shape == "kink" else _saturated(law, floor, ceiling)
    error *= np.exp(noise * rng.normal(size=x.shape))
    seed = np.tile(np.arange(seeds), len(sizes))
    return pd.DataFrame(
        {
            "run": np.repeat([f"{p}/{s}" for p, s in zip(size, seed, strict=True)], points),
            "train_size": np.repeat(size, points),
            "seed": np.repeat(seed, points),
            "log_norm": x.ravel(),
            "test_error": np.minimum(error, 1.0).ravel(),
        }
    )


def _saturated(law: np.ndarray, floor: float, ceiling: float) -> np.ndarray:
    return ((np.exp(law) + floor) ** -8 + ceiling**-8) ** (-1 / 8)


@pytest.fixture(scope="session")
def make_study() -> Callable[..., pd.DataFrame]:
    return synthetic_study


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="session")
def paper_curves() -> Path:
    """Return the folder of the paper's published mean curves; it is not part of the project."""
    candidates = [ROOT.parent / "shared" / "paper_curves"]
    if given := os.environ.get("NORMLAW_PAPER_CURVES"):
        candidates.insert(0, Path(given))
    for folder in candidates:
        if (folder / "published.json").is_file():
            return folder
    pytest.skip("the paper's curves are not at hand: set NORMLAW_PAPER_CURVES to their folder")


@pytest.fixture(scope="session")
def published(paper_curves: Path) -> dict[str, Any]:
    return json.loads((paper_curves / "published.json").read_text())
