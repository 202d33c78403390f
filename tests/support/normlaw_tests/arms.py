"""Curves of arms in which it is known what the error follows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from normlaw.analysis.cause.responses import Change

SIZES = (60, 120, 240, 480, 960)
ARMS = {
    "free": Change(),
    "held": Change("weights"),
    "held_half": Change("weights", 0.5),
    "held_double": Change("weights", 2.0),
    "held_half_matched": Change("weights", 0.5, 0.25),
    "held_double_matched": Change("weights", 2.0, 4.0),
    "warm": Change("", 1.0, 4.0),
}
CHANGES = {name: change for name, change in ARMS.items() if name != "free"}
FORK = 20


def curves(
    follows: str, *, seed: int = 0, seeds: int = 3, noise: float = 0.03, sizes: Sequence[int] = SIZES
) -> pd.DataFrame:
    """Return curves of arms that fork at step 20, whose error is a function of what is named.

    Args:
        follows: "norm", "scale", "steps", "both" (norm and scale), or "twins" (the norm, whose
            double is the scale).
        seed: of the noise.
        seeds: runs of each arm and train size.
        noise: standard deviation of ln error at a point, and half of it of a trunk.
        sizes: train sizes.

    """
    rng = np.random.default_rng(seed)
    step = np.unique(np.round(np.geomspace(1, 400, 28)))
    frames = []
    for size in sizes:
        for number in range(seeds):
            pace = 0.1 * rng.normal()
            of_trunk = 0.5 * noise * rng.normal()
            shared = noise * rng.normal(size=len(step))
            for arm, change in ARMS.items():
                after = step > FORK
                time = np.log(step)
                free = 1.6 + 0.25 * np.log1p(step / 30) + 0.02 * pace
                at_fork = free[~after][-1]
                norm = np.where(after, at_fork + np.log(change.factor), free) if change.holds else free
                # outputs grow with the norm of both layers, and with time as the layers align
                scale = 2 * norm - 5 + 0.5 * time + pace - np.where(after, np.log(change.temperature), 0)
                if follows == "twins":
                    scale = 2 * norm - 5
                clock = {
                    "norm": 2.5 * (norm - 1.6),
                    "scale": 0.6 * (scale + 2.2),
                    "steps": 0.5 * time,
                    "both": 1.2 * (norm - 1.6) + 0.35 * (scale + 2.2),
                    "twins": 1.2 * (norm - 1.6),
                }[follows]
                own = np.where(after, noise * rng.normal(size=len(step)), shared)
                log_error = np.log(0.9) - clock + of_trunk + own
                loss = 0.8 - 0.2 * time - 0.1 * scale + np.where(after, 0.05 * rng.normal(size=len(step)), 0)
                frames.append(
                    pd.DataFrame(
                        {
                            "arm": arm,
                            "train_size": size,
                            "seed": number,
                            "step": step.astype(int),
                            "test/error": np.exp(log_error),
                            "train/loss": np.exp(loss),
                            "log_norm/weight_norm": norm,
                            "log_norm/logit_scale": scale,
                        }
                    )
                )
    return pd.concat(frames, ignore_index=True)
