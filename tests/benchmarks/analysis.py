"""How long the automatic protocol takes, and what the sums over bins save against statsmodels.

Run: `python tests/benchmarks/analysis.py`
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from normlaw.analysis import analyse
from normlaw.training.threads import use_one_thread
from normlaw_plugins.protocols.early_scan import early_scan
from normlaw_registry import Fitter, load_catalogue, validate_params

CURVES, POINTS = 3000, 50


def synthetic(sizes: int, seeds: int, points: int) -> pd.DataFrame:
    """Return curves that fall as a power law with exponent 0.4 and rise past their optimum."""
    rng = np.random.default_rng(0)
    run = np.arange(sizes * seeds)
    size = np.geomspace(1000, 64000, sizes).astype(int)[run // seeds]
    optimum = np.log(size)[:, None] + 0.1 * rng.normal(size=(len(run), 1))
    x = np.linspace(-6, 2, points) + np.log(size)[:, None]  # (runs, points)
    z = x - optimum
    y = -0.4 * np.log(size)[:, None] + np.log(np.exp(-0.4 * z) + 0.3 * np.exp(0.5 * z)) - 1
    y += 0.02 * rng.normal(size=(len(run), 1)) + 0.01 * rng.normal(size=x.shape)
    return pd.DataFrame(
        {
            "run": np.repeat(run.astype(str), points),
            "train_size": np.repeat(size, points),
            "seed": np.repeat(run % seeds, points),
            "log_norm": x.ravel(),
            "test_error": np.exp(y).ravel(),
        }
    )


def seconds(work: object, *arguments: object) -> float:
    """Return the CPU time of one call."""
    start = time.process_time()
    work(*arguments)  # type: ignore[operator]
    return time.process_time() - start


def main() -> None:
    """Print the times and the ratio."""
    catalogue = load_catalogue()
    study = synthetic(12, CURVES // 12, POINTS)
    analyse(synthetic(4, 3, POINTS), catalogue)  # imports and caches
    whole = seconds(analyse, study, catalogue)
    print(f"automatic, {CURVES} curves of {POINTS} points, bootstrap included: {whole:.1f} s of CPU time")

    small = synthetic(8, 10, POINTS)
    runs = small["run"].astype(int)
    points = small.assign(run_index=runs, log_error=np.log(small["test_error"])).sort_values("run_index")
    sizes = np.sort(small["train_size"].unique())
    optimum = pd.Series(np.log(sizes), index=sizes)
    own = np.log(points.groupby("run_index")["train_size"].first().to_numpy())
    scan = early_scan(points, optimum, own, np.ones((1, len(own))))
    fits = int(np.isfinite(scan.criterion).sum())
    fast = seconds(early_scan, points, optimum, own, np.ones((1, len(own)))) / fits
    fitter = catalogue.get(Fitter, "early_power_law")
    slow = seconds(fitter.fit, points.reset_index(drop=True), validate_params(fitter, {}))
    print(f"one window fit: sums over bins {fast * 1e6:.1f} us, statsmodels {slow * 1e3:.1f} ms")
    print(f"ratio {slow / fast:,.0f}")


if __name__ == "__main__":
    use_one_thread()
    main()
