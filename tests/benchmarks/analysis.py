"""How long the protocols take, with and without figures, and what the sums over bins of `automatic` save.

Run: `python tests/benchmarks/analysis.py`. The table is in docs/speed.md: CPU seconds on one core, of 12 train
sizes and 50 points a curve. A study of 360 runs with its figures is to take at most 10 s, 3,000 curves 20 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from normlaw.analysis import Options, analyse, write
from normlaw.training.threads import use_one_thread
from normlaw_plugins.protocols.early_scan import early_scan
from normlaw_registry import Fitter, load_catalogue, validate_params

CURVES, RUNS, POINTS = 3000, 360, 50
HEADINGS = (f"{CURVES:,} curves", f"{RUNS} curves", "with report and figures", "with those of a paper")
PROTOCOLS: dict[str, dict[str, Any]] = {
    "envelope": {},
    "automatic": {"draws": 500},
    "released": {"window": (0.01, 0.3)},
}


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


def seconds(work: Callable[..., object], *arguments: object) -> float:
    """Return the CPU time of one call."""
    start = time.process_time()
    work(*arguments)
    return time.process_time() - start


def main() -> None:
    """Print the times and the ratio."""
    catalogue = load_catalogue()
    many, usual = synthetic(12, CURVES // 12, POINTS), synthetic(12, RUNS // 12, POINTS)
    options = {name: Options(protocol=name, **more) for name, more in PROTOCOLS.items()}
    for choice in options.values():
        analyse(synthetic(4, 3, POINTS), catalogue, choice)  # imports and caches
    print("| protocol | " + " | ".join(HEADINGS) + " |")
    print("|---|" + "--:|" * len(HEADINGS))
    for name, choice in options.items():
        whole, some = (seconds(analyse, study, catalogue, choice) for study in (many, usual))
        analysis = analyse(usual, catalogue, choice)
        with TemporaryDirectory() as folder:
            page, paper = (seconds(write, analysis, Path(folder) / use, None, use) for use in ("page", "paper"))
        times = (whole, some, some + page, some + paper)
        print(f"| `{name}` | " + " | ".join(f"{time:.1f}" for time in times) + " |", flush=True)

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
