"""How fast a study's runs are listed with their hashes, against each run taken by itself.

Run: `python tests/benchmarks/expanding.py [RUNS]`. RUNS (default 20,000) are ten train sizes with as many seeds
as it takes; each run by itself is timed on a sample of them. CPU time, in one process.
"""

from __future__ import annotations

import sys
from itertools import islice
from time import process_time

from normlaw.study.expansion import planned_runs
from normlaw.study.identity import canonical, hash_of
from normlaw.study.spec import RunSpec
from normlaw.study.storable import unstorable
from normlaw.study.study import Study
from normlaw_registry import load_catalogue

SAMPLE = 500


def main(runs: int) -> None:
    """Print both times a run, and their ratio."""
    fixed = {
        "architecture": {"name": "cnn", "params": {"channels": [16, 32], "hidden": [64]}},
        "dataset": "digits",
        "epochs": 50,
        "measures": ["spectral_complexity_kernel", "weight_norm"],
    }
    vary = {"train_size": [2**power for power in range(10)], "seed": {"count": runs // 10}}
    study = Study.model_validate({"name": "many", "fixed": fixed, "vary": vary})
    catalogue = load_catalogue()

    began = process_time()
    plans = planned_runs(study, catalogue)
    together = (process_time() - began) / len(plans)

    trees = [
        {**fixed, "train_size": p.spec.train_size, "seed": p.spec.seed} for p in islice(plans.values(), SAMPLE)
    ]
    began = process_time()
    for tree in trees:
        spec = RunSpec.model_validate(tree).resolved(catalogue)
        assert unstorable(spec) is None
        assert hash_of(canonical(spec)) in plans
    alone = (process_time() - began) / len(trees)

    print(
        f"{len(plans)} runs: {1e6 * together:.0f} µs a run, {alone / together:.1f} times as fast as by itself"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
