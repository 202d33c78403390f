"""The three protocols side by side: what each finds in the same curves, and how long it takes.

Synthetic studies of known exponents, and the paper's mean curves where they are at hand (the folder that
NORMLAW_PAPER_CURVES names, or ../shared/paper_curves). `released` has one window for all of them.

Run: `python tests/benchmarks/protocols.py [--studies 3]`
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from normlaw.analysis import Analysis, Options, analyse
from normlaw.training.threads import use_one_thread
from normlaw_registry import InputError, load_catalogue

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from normlaw_tests.law_families import FAILING, FAMILIES, draw

ROOT = Path(__file__).parents[2]
WINDOW = (0.01, 0.3)
PROTOCOLS = {
    "envelope": Options(protocol="envelope"),
    "automatic": Options(protocol="automatic"),
    "released": Options(protocol="released", window=WINDOW),
}


def paper_curves() -> Path | None:
    """Return the folder of the paper's mean curves, if it is at hand."""
    candidates = [os.environ.get("NORMLAW_PAPER_CURVES"), ROOT.parent / "shared" / "paper_curves"]
    places = [Path(place) for place in candidates if place]
    return next((place for place in places if (place / "published.json").is_file()), None)


def studies(count: int) -> Iterator[tuple[str, pd.DataFrame, float]]:
    """Yield curves with their name and the gamma_pred that they were made with, or that was published."""
    for family in (*FAMILIES, FAILING):
        for number in range(count):
            curves, truth = draw(family, number)
            yield family, curves, truth.gamma_pred
    if (folder := paper_curves()) is not None:
        for name, facts in json.loads((folder / "published.json").read_text()).items():
            if isinstance(facts, dict) and (folder / f"{name}.csv").is_file():
                yield name, pd.read_csv(folder / f"{name}.csv"), facts["table_gamma_pred"]


def found_by(analysis: Analysis | None) -> tuple[str, str]:
    """Return gamma_pred with its error, and what is said of the laws."""
    if analysis is None:
        return "refused", ""
    pred = analysis.gamma_pred
    codes = {warning.code for warning in analysis.warnings}
    disagrees = "disagree" if "laws_disagree" in codes else "agree"
    return f"{pred.value:.3f} ± {pred.stderr:.3f}", analysis.findings.verdict or disagrees


def main() -> None:
    """Print a line a study and protocol, then the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1, help="of each synthetic family")
    count = parser.parse_args().studies
    catalogue = load_catalogue()
    curves, _ = draw(FAMILIES[0], 0)
    for options in PROTOCOLS.values():
        analyse(curves, catalogue, options)  # imports and caches
    print(f"{'curves':<16}{'made with':>10}  {'protocol':<10}{'gamma_pred':>16}  {'laws':<12}{'CPU s':>7}")
    seconds: dict[str, list[float]] = {name: [] for name in PROTOCOLS}
    errors: dict[str, list[float]] = {name: [] for name in PROTOCOLS}
    inside: dict[str, list[bool]] = {name: [] for name in PROTOCOLS}
    for name, curves, predicted in studies(count):
        for protocol, options in PROTOCOLS.items():
            start = time.process_time()
            try:
                analysis: Analysis | None = analyse(curves, catalogue, options)
            except InputError:
                analysis = None
            taken = time.process_time() - start
            seconds[protocol].append(taken)
            value, laws = found_by(analysis)
            head = f"{name:<16}{predicted:>10.3f}  {protocol:<10}"
            print(f"{head}{value:>16}  {laws:<12}{taken:>7.2f}", flush=True)
            if analysis is not None and name in FAMILIES:
                estimate = analysis.gamma_pred
                errors[protocol].append(abs(estimate.value / predicted - 1))
                inside[protocol].append(estimate.low <= predicted <= estimate.high)
    print("\nwhere the laws hold and the exponents are known:")
    print(f"{'protocol':<10}  median |error| of gamma_pred   inside the interval   time, to that of envelope")
    for protocol in PROTOCOLS:
        ratio = sum(seconds[protocol]) / sum(seconds["envelope"])
        print(
            f"{protocol:<10}{np.median(errors[protocol]):>26.1%}{np.mean(inside[protocol]):>24.0%}{ratio:>27.2f}"
        )


if __name__ == "__main__":
    use_one_thread()
    main()
