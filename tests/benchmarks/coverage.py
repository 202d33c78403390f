"""How often the protocols' intervals cover the truth, on synthetic studies whose exponents are known.

Run: `python tests/benchmarks/coverage.py [--studies 60] [--protocol envelope]` (60 a family: 420 studies).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from normlaw.analysis import Options, analyse
from normlaw.training.threads import use_one_thread
from normlaw_registry import load_catalogue

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from normlaw_tests.law_families import FAILING, FAMILIES, draw


def main() -> None:
    """Print a line a family: coverage of each exponent, verdicts, seconds a study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=60, help="of each family")
    parser.add_argument("--protocol", default="envelope")
    chosen = parser.parse_args()
    catalogue = load_catalogue()
    names = ("gamma_1", "gamma_2", "gamma_pred", "gamma_meas")
    print("family         " + "".join(f"{name:>12}" for name in names) + "   hold  fail  cannot_tell  s/study")
    whole = []
    for family in (*FAMILIES, FAILING):
        rows, start = [], time.process_time()
        for number in range(chosen.studies):
            curves, truth = draw(family, number)
            found = analyse(curves, catalogue, Options(protocol=chosen.protocol)).to_dict()
            true = (truth.gamma_1, truth.gamma_2, truth.gamma_pred, truth.gamma_meas)
            limits = [found[f"{name}_ci"] for name in names]
            row = {
                name: np.nan if np.isnan(low + high) else low <= value <= high
                for name, value, (low, high) in zip(names, true, limits, strict=True)
            }
            rows.append({**row, "verdict": found.get("verdict")})
        table = pd.DataFrame(rows)
        verdicts = [f"{(table['verdict'] == v).mean():.2f}" for v in ("hold", "fail", "cannot_tell")]
        seconds = (time.process_time() - start) / chosen.studies
        shares = "".join(f"{table[name].astype(float).mean():12.3f}" for name in names)
        print(
            f"{family:15}{shares}   {verdicts[0]}  {verdicts[1]}         {verdicts[2]}     {seconds:.2f}",
            flush=True,
        )
        if family != FAILING:
            whole.append(table)
    together = pd.concat(whole)
    print("all that hold  " + "".join(f"{together[name].astype(float).mean():12.3f}" for name in names))


if __name__ == "__main__":
    use_one_thread()
    main()
