"""How often the protocols' intervals cover the truth, on synthetic studies whose exponents are known.

Run: `python tests/benchmarks/intervals.py [--studies 60] [--first 0] [--protocol envelope] [--rows FILE.csv]`
(60 a family: 420 studies where the laws hold). With `--rows` every study's values, errors and truth are kept,
to see which ones miss.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from normlaw.analysis import Options, analyse
from normlaw.training.threads import use_one_thread
from normlaw_registry import Catalogue, load_catalogue

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from normlaw_tests.law_families import FAILING, FAMILIES, draw

NAMES = ("gamma_1", "gamma_2", "gamma_pred", "gamma_meas")
VERDICTS = ("hold", "fail", "cannot_tell")


def outcome(family: str, number: int, protocol: str, catalogue: Catalogue) -> dict[str, Any]:
    """Return what is found in one study beside what it was made with, by name."""
    curves, truth = draw(family, number)
    start = time.process_time()
    analysis = analyse(curves, catalogue, Options(protocol=protocol))
    row: dict[str, Any] = {"family": family, "number": number, "verdict": analysis.findings.verdict}
    row["reasons"] = " ".join(reason.code for reason in analysis.findings.reasons)
    resampled = analysis.findings.extras.get("resampled", {})
    for name in NAMES:
        estimate, true = getattr(analysis, name), getattr(truth, name)
        row |= {name: estimate.value, f"{name}_stderr": estimate.stderr, f"{name}_true": true}
        row[f"{name}_choices"] = estimate.window
        row |= {f"{name}_{way}": resampled.get(name, {}).get(way) for way in ("model", "runs", "sizes")}
        row |= {f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        row[f"{name}_covered"] = bool(estimate.low <= true <= estimate.high)
    return {**row, "seconds": time.process_time() - start}


def line_of(head: str, table: pd.DataFrame) -> str:
    """Return coverage of each exponent, verdicts and seconds a study."""
    shares = "".join(f"{table[f'{name}_covered'].mean():12.3f}" for name in NAMES)
    verdicts = "".join(f"{(table['verdict'] == verdict).mean():12.2f}" for verdict in VERDICTS)
    return f"{head:15}{shares}{verdicts}{table['seconds'].mean():9.2f}"


def resampled_of(table: pd.DataFrame) -> Iterator[str]:
    """Yield, for each exponent, how errors by leaving out train sizes compare with those that are reported."""
    for name in NAMES[:3]:
        sizes = table[f"{name}_sizes"]
        if sizes.isna().all():
            continue
        whole = (sizes / table[f"{name}_stderr"]).median()
        yield f"{name:12} error by leaving out train sizes, median: {whole:.2f} of the whole error"


def main() -> None:
    """Print a line a family: coverage of each exponent, verdicts, seconds a study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=60, help="of each family")
    parser.add_argument("--first", type=int, default=0, help="number of the first study")
    parser.add_argument("--protocol", default="envelope")
    parser.add_argument("--rows", type=Path, help="a CSV file for one row a study")
    chosen = parser.parse_args()
    catalogue = load_catalogue()
    heads = "".join(f"{name:>12}" for name in (*NAMES, *VERDICTS))
    print(f"{'family':15}{heads}  s/study")
    rows: list[dict[str, Any]] = []
    for family in (*FAMILIES, FAILING):
        for number in range(chosen.first, chosen.first + chosen.studies):
            rows.append(outcome(family, number, chosen.protocol, catalogue))
            if chosen.rows:
                pd.DataFrame(rows).to_csv(chosen.rows, index=False)
        table = pd.DataFrame(rows)
        print(line_of(family, table[table["family"] == family]), flush=True)
    table = pd.DataFrame(rows)
    true = table[table["family"] != FAILING]
    print(line_of("all that hold", true))
    print("\n".join(resampled_of(true)))


if __name__ == "__main__":
    use_one_thread()
    main()
