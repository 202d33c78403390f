"""How far each number chosen by hand moves what `envelope` finds, when it is halved and doubled.

Run: `python tests/benchmarks/sensitivity.py [--papers FOLDER] [--only WORD]` (FOLDER: the paper's mean curves).
Prints, for each number, the largest change of each exponent in standard errors, over the studies that tell if
the laws hold, and which verdicts changed, of those that cannot tell as well.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from normlaw.analysis import Analysis, Options, analyse
from normlaw.training.threads import use_one_thread
from normlaw_plugins.protocols.envelope_model import (
    alternatives,
    crossing,
    depth,
    evidence,
    exponents,
    fitting,
    laws,
    marginal,
    noise,
    parameters,
    priors,
    rise,
    runs,
    search,
    shape,
    verdict,
)
from normlaw_registry import Catalogue, Theory, load_catalogue, validate_params

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from normlaw_tests.law_families import draw

MODULES: tuple[ModuleType, ...] = (alternatives, crossing, depth, evidence, exponents, fitting, laws, marginal)
MODULES += (noise, priors, rise, runs, search, shape, verdict)
EXPONENTS = ("gamma_0", "gamma_1", "gamma_2", "gamma_pred", "gamma_meas")
SYNTHETIC = (("small", 1000), ("gamma_0", 1000))
FACTORS = (0.5, 2.0)
REACHED = (("noise", 0), ("noise", 1), ("drift_length", 0), ("correction_g", 0), ("correction_h", 1))
"""Limits of variances (0 the least, 1 the largest) that fits come near."""
LOGS = {parameters.LOG_Q: "q", parameters.LOG_RATIO: "m/a", parameters.LOG_SHARPNESS: "n"}
PLACES = {
    **LOGS,
    parameters.LEVEL: "c",
    parameters.LOG_GAMMA_1: "ln gamma_1",
    parameters.X_1: "x_1",
    parameters.LOG_A: "ln a",
    parameters.U_0: "u_0",
    parameters.GAMMA_2: "gamma_2",
    parameters.CEILING: "eta_0",
}


@dataclass(frozen=True)
class Choice:
    """A number chosen by hand: in a module's constant, or in one entry of it."""

    said: str
    name: str
    changed: Callable[[Any, float], Any]
    """The constant's value with the number multiplied by a factor."""


def scaled(value: Any, factor: float) -> Any:
    """Return a number or every number of a tuple times a factor; whole numbers stay whole."""
    if isinstance(value, tuple):
        return tuple(scaled(one, factor) for one in value)
    return max(round(value * factor), 1) if isinstance(value, int) else value * factor


def entry(key: Any, whole: dict[Any, Any], factor: float) -> dict[Any, Any]:
    """Return a dictionary with one entry times a factor."""
    return {**whole, key: scaled(whole[key], factor)}


def shifted(key: int, whole: dict[int, float], factor: float) -> dict[int, float]:
    """Return a dictionary with the logarithm of a factor added to one entry."""
    return {**whole, key: whole[key] + np.log(factor)}


def limit(key: str, end: int, whole: dict[str, Any], factor: float) -> dict[str, Any]:
    """Return the limits with one end of one of them times a factor."""
    ends = list(whole[key])
    ends[end] *= factor
    return {**whole, key: tuple(ends)}


def begun(key: str, made: Callable[..., Any], factor: float) -> Callable[..., Any]:
    """Return the variances to begin at with one times a factor."""
    return functools.partial(made, **{key: getattr(made(), key) * factor})


def choices() -> Iterator[Choice]:
    """Yield every number, of the model first, then of the search, of what is reported and of the verdict."""
    for said, name in (
        ("units of x over the norms measured", "RANGE"),
        ("length of the corrections", "LENGTH"),
        ("where the departure's correction fades", "FADE"),
        ("knots of G", "KNOTS_G"),
        ("knots of H", "KNOTS_H"),
        ("grid of G", "FINE_G"),
        ("grid of H", "FINE_H"),
        ("variance taken as exact", "FLOOR"),
        ("prior of gamma_0: same", "SAME"),
    ):
        yield Choice(said, name, scaled)
    yield Choice("prior of gamma_0: free", "FREE", scaled)
    for place, said in PLACES.items():
        yield Choice(f"prior width of {said}", "WIDTHS", functools.partial(entry, place))
    for place, said in LOGS.items():
        yield Choice(f"prior mean of {said}", "MEANS", functools.partial(shifted, place))
    yield Choice("prior mean of x_1", "MEANS", functools.partial(entry, parameters.X_1))
    yield Choice("prior mean of eta_0 above the data", "ABOVE", scaled)
    for key, end in REACHED:
        yield Choice(f"{('least', 'largest')[end]} {key}", "LIMITS", functools.partial(limit, key, end))
    for key in priors.LIMITS:
        yield Choice(f"first {key}", "Variances", functools.partial(begun, key))
    for said, name in (
        ("runs that variances rest on", "MOST_RUNS"),
        ("guesses of gamma_2", "STARTS"),
        ("distance of one place", "SAME_CURVES"),
        ("start nearly without corrections", "NEARLY_STRAIGHT"),
        ("rounds before the best is chosen", "FIRST_ROUNDS"),
        ("change of evidence that ends rounds", "ENOUGH"),
        ("gain that ends steps on the way", "ROUGHLY"),
        ("steps at one slope of the volume", "FEW_STEPS"),
        ("gain that is left where a fit rests", "AT_REST"),
        ("part of it in fits that are compared", "COMPARED"),
        ("climbs to where it rests", "LAST_CLIMBS"),
        ("gain that is left behind too long a climb", "OVERSHOT"),
        ("first damping", "DAMPING"),
        ("largest step", "LARGEST_STEP"),
        ("largest displacement of a run", "LARGEST_SHIFT"),
        ("farthest climb", "FARTHEST"),
        ("gain that ends a climb", "CLOSE"),
        ("cells beyond the norms", "BEYOND"),
        ("step of derivatives", "DIFFERENCE"),
        ("other smoothings", "OTHER_SMOOTHING"),
        ("change that is worth a fit", "WORTH_FITTING"),
        ("loss of a fit gone elsewhere", "ELSEWHERE"),
        ("starts of the depth", "FROM"),
        ("level of the tests", "LEVEL"),
        ("part of gamma_meas that matters", "RELEVANT"),
        ("strong evidence", "STRONG"),
        ("very strong evidence", "VERY_STRONG"),
        ("points before a departure", "FEWEST_BEFORE"),
        ("stretch before a departure", "STRETCH"),
    ):
        yield Choice(said, name, scaled)
    yield Choice("fractions of departure", "FRACTIONS", nearer)


def nearer(fractions: tuple[float, ...], factor: float) -> tuple[float, ...]:
    """Return fractions half as large, or half as far from 1: of more than 1 there is no departure."""
    return tuple(1 - (1 - f) / factor if factor > 1 else factor * f for f in fractions)


@contextmanager
def changed(choice: Choice, factor: float) -> Iterator[None]:
    """Change a constant in every module that it was imported into."""
    holders = [module for module in MODULES if hasattr(module, choice.name)]
    if choice.name == "LEVEL":  # in `parameters` that is a place
        holders = [verdict]
    before = [getattr(module, choice.name) for module in holders]
    for module, value in zip(holders, before, strict=True):
        setattr(module, choice.name, choice.changed(value, factor))
    try:
        yield
    finally:
        for module, value in zip(holders, before, strict=True):
            setattr(module, choice.name, value)


def perceptron(catalogue: Catalogue) -> pd.DataFrame:
    """Return replica curves of the perceptron."""
    theory = catalogue.get(Theory, "perceptron")
    loads, norms = [8, 16, 32, 64, 128, 256], list(np.geomspace(0.3, 3000, 60))
    points = theory.predict(validate_params(theory, {}), loads, norms)
    frame = pd.DataFrame([(q.alpha, np.log(q.norm), q.error) for q in points])
    frame.columns = pd.Index(["alpha", "log_norm", "test_error"])
    return frame.assign(run=frame["alpha"].astype(str), train_size=(1000 * frame["alpha"]).astype(int))


def studies(catalogue: Catalogue, papers: Path | None) -> dict[str, pd.DataFrame]:
    """Return curves by name."""
    found = {f"{family} {number}": draw(family, number)[0] for family, number in SYNTHETIC}
    found["perceptron"] = perceptron(catalogue).drop(columns="alpha")
    files = sorted(papers.glob("*.csv")) if papers else []
    return found | {file.stem: pd.read_csv(file) for file in files}


def moved(base: Analysis, other: Analysis) -> dict[str, float]:
    """Return by how many of its standard errors each exponent has moved."""
    one, two = base.estimates(), other.estimates()
    return {name: abs(two[name].value - one[name].value) / one[name].stderr for name in EXPONENTS}


def main() -> None:
    """Print a line a number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--papers", type=Path, help="a folder with the paper's mean curves")
    parser.add_argument("--only", default="", help="of numbers whose description has this in it")
    chosen = parser.parse_args()
    catalogue, options = load_catalogue(), Options(protocol="envelope")
    curves = studies(catalogue, chosen.papers)
    base = {name: analyse(frame, catalogue, options) for name, frame in curves.items()}
    for name, found in base.items():
        print(name, found, found.findings.verdict)
    told = {name for name, found in base.items() if found.findings.verdict != "cannot_tell"}
    print(f"{'number':40}" + "".join(f"{name:>12}" for name in EXPONENTS) + "  where most, verdicts")
    for choice in choices():
        if chosen.only not in choice.said:
            continue
        rows, verdicts = {}, []
        for factor in FACTORS:
            with changed(choice, factor):
                for name, frame in curves.items():
                    found = analyse(frame, catalogue, options)
                    if name in told:
                        rows[f"{name} x {factor:g}"] = moved(base[name], found)
                    said = base[name].findings.verdict, found.findings.verdict
                    if said[0] != said[1]:
                        verdicts.append(f"{name} x {factor:g}: {said[0]} to {said[1]}")
        table = pd.DataFrame(rows).T
        most = table.max(axis=1).idxmax()
        largest = "".join(f"{table[name].max():12.2f}" for name in EXPONENTS)
        print(f"{choice.said:40}{largest}  {most}; {', '.join(verdicts)}", flush=True)


if __name__ == "__main__":
    use_one_thread()
    main()
