"""How long the perceptron's exact curves take: run with `python tests/benchmarks/perceptron_theory.py`.

Prints CPU time of one thread, not wall time, so that a shared machine tells the same.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

import numpy as np

from normlaw.training.threads import use_one_thread
from normlaw_plugins.theories.perceptron import PERCEPTRON, PerceptronParams
from normlaw_plugins.theories.replica.losses import LOSSES
from normlaw_plugins.theories.replica.optimum import least_error
from normlaw_plugins.theories.replica.saddle_point import solve


def main() -> None:
    alphas, norms = np.geomspace(0.5, 256.0, 10).tolist(), np.geomspace(1e-2, 1e3, 60).tolist()
    wide_alphas, wide_norms = np.geomspace(0.1, 1e4, 10).tolist(), np.geomspace(1e-4, 1e4, 60).tolist()
    solve(LOSSES["logistic"], [1.0], [1.0])  # imports and first touches

    def timed(what: str, budget: float | None, work: Callable[[], object]) -> None:
        start = process_time()
        work()
        seconds = process_time() - start
        bound = f"   (bound {budget:g} s)" if budget else ""
        print(f"{what:<58} {seconds:7.3f} s{bound}")

    params = PerceptronParams()
    timed(
        "10 x 60 grid, alpha 0.5 to 256, lambda 0.01 to 1000",
        5.0,
        lambda: PERCEPTRON.predict(params, alphas, norms),
    )
    timed("10 x 60 grid, the whole range", 5.0, lambda: PERCEPTRON.predict(params, wide_alphas, wide_norms))
    timed("one point, lambda = 1000", None, lambda: PERCEPTRON.predict(params, [8.0], [1000.0]))
    timed("least error over lambda, one alpha", None, lambda: least_error(LOSSES["logistic"], 8.0))
    found = solve(LOSSES["logistic"], wide_alphas, wide_norms)
    print(f"largest residual on the whole range, finer quadrature       {found.residual.max():.1e}")


if __name__ == "__main__":
    use_one_thread()
    main()
