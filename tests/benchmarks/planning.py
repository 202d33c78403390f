"""What following a plan narrows the interval of gamma_pred by, against more seeds of every size alike.

Synthetic studies of known exponents; a run costs as much at the smallest train size for its steps as for its
evaluations, and the steps are those of epochs. The budget is one more seed of every size. Both ways the further
runs are drawn and everything is analysed again.

Run: `python tests/benchmarks/planning.py [--studies 6] [--families straight,small] [--rows FILE.csv]`
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

from normlaw.training.threads import use_one_thread

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from normlaw_tests.followed_plans import followed, narrowing
from normlaw_tests.law_families import FAMILIES


def line_of(head: str, table: pd.DataFrame) -> str:
    """Return how far both narrow all intervals together, foretold and found, and their ratio."""
    plan, even = narrowing(table, "plan"), narrowing(table, "even")
    foretold = narrowing(table, "plan_foretold")
    covered = table["plan_covered"].mean()
    return f"{head:<15}{plan:>10.1%}{even:>10.1%}{plan / even:>8.2f}{foretold:>14.1%}{covered:>10.2f}"


def main() -> None:
    """Print a line a family, and one for all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=6, help="of each family")
    parser.add_argument("--first", type=int, default=0, help="number of the first study")
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--rows", type=Path, help="a CSV file for one row a study")
    chosen = parser.parse_args()
    print(f"{'narrower by':<15}{'plan':>10}{'seeds':>10}{'ratio':>8}{'plan foretold':>14}{'covered':>10}")
    rows = []
    for family in chosen.families.split(","):
        for number in range(chosen.first, chosen.first + chosen.studies):
            rows.append({"family": family, "number": number, **followed(family, number)})
            if chosen.rows:
                pd.DataFrame(rows).to_csv(chosen.rows, index=False)
        table = pd.DataFrame(rows)
        print(line_of(family, table[table["family"] == family]), flush=True)
    print(line_of("all", pd.DataFrame(rows)))


if __name__ == "__main__":
    use_one_thread()
    main()
