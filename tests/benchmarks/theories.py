"""How long a 12 x 60 grid of each theory takes on one core: run with `python tests/benchmarks theories`.

Prints CPU time of one thread, not wall time, so that a shared machine tells the same.
"""

from __future__ import annotations

from time import process_time
from typing import Any

import numpy as np

from normlaw.training.threads import use_one_thread
from normlaw_registry import Theory, load_catalogue, validate_params

BOUND = 10.0
"""Seconds that a grid may take."""
GRIDS: dict[str, tuple[list[float], list[float], list[dict[str, Any]]]] = {
    "diagonal_network": (
        np.linspace(0.05, 0.95, 12).tolist(),
        np.geomspace(1e-3, 10, 60).tolist(),
        [{"noise_variance": 0.05}, {"depth": 3, "noise_variance": 0.05}, {"depth": 3}],
    ),
    "perceptron": (np.geomspace(0.5, 256, 12).tolist(), np.geomspace(1e-2, 1e3, 60).tolist(), [{}]),
    "random_features": (
        np.geomspace(100, 1e6, 12).round().tolist(),
        np.geomspace(0.1, 1e5, 60).tolist(),
        [
            {"modes": 1000},
            {"modes": 1000, "width": 300, "noise_variance": 0.1},
            {"modes": 1e9, "width": 300, "noise_variance": 0.1},
            {"width": 300, "noise_variance": 0.1},
        ],
    ),
    "two_layer": ([], np.geomspace(0.1, 400, 60).tolist(), [{}, {"L": 64, "N": 2000}]),
}
"""Theory -> values of its first axis and of its last, and settings that are timed; of a theory of one axis,
curves of 12 seeds."""


def main() -> None:
    catalogue = load_catalogue()
    for name, (first, last, settings) in GRIDS.items():
        theory = catalogue.get(Theory, name)
        grid = {theory.axes[0].name: first, theory.axes[-1].name: last}
        for values in settings:
            each = [values] if len(theory.axes) > 1 else [{**values, "seed": seed} for seed in range(12)]
            curves = [validate_params(theory, one) for one in each]
            theory.points(curves[0], {axis: of[:1] for axis, of in grid.items()})  # imports, first touches
            start = process_time()
            for params in curves:
                theory.points(params, grid)
            seconds = process_time() - start
            told = " ".join(f"{key}={value}" for key, value in values.items())
            print(f"{name + ' ' + told:<64} {seconds:7.3f} s   (bound {BOUND:g} s)")


if __name__ == "__main__":
    use_one_thread()
    main()
