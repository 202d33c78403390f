"""Synthetic studies in which the laws hold, or fail, with known exponents, to try analyses on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FAMILIES = ("straight", "bent", "hyperbolic", "gamma_0", "not_bracketed", "small", "binomial")
"""Where the laws hold: a straight envelope; one that is flat at small norms; one that approaches its power law
slowly; one that P moves too; curves that end before or without an optimum; 5 sizes of 3 seeds; errors counted
on 1,000 test examples."""
FAILING = "twice"
"""Departures of larger sizes end higher, so that the least errors fall half as fast as the laws predict."""


@dataclass(frozen=True)
class Truth:
    """The exponents that a study was made with."""

    gamma_0: float
    gamma_1: float
    gamma_2: float
    gamma_meas: float
    """Slope of the line through the exact least errors: gamma_pred but for corrections to scaling."""

    @property
    def gamma_pred(self) -> float:
        """What the laws predict, and where they hold, but for corrections to scaling, what is measured."""
        return self.gamma_0 + self.gamma_1 * self.gamma_2


@dataclass(frozen=True)
class World:
    """What one study of a family was drawn with: it makes the curve of any run."""

    family: str
    gamma_1: float
    gamma_2: float
    gamma_0: float
    sizes: NDArray[np.int64]
    seeds: int
    points: int
    noise: float
    offset: float
    scatter: float
    rise: float
    reach: float
    bend: float
    shape: str
    end: float

    @property
    def begin(self) -> float:
        """Where curves begin, in ln norm."""
        return 10 - self.reach

    def p(self, size: NDArray[np.int64]) -> Floats:
        """Return ln P over the smallest size, (runs, 1)."""
        return np.asarray(np.log(size / self.sizes[0])[:, None])

    def x(self, p: Floats) -> Floats:
        """Return the ln norms that runs are measured at, (runs, points)."""
        return self.begin + (self.reach + self.end + self.gamma_2 * p) * np.linspace(0, 1, self.points)

    def envelope_of(self, x: Floats) -> Floats:
        """Return the envelope, which the ln error falls by."""
        gamma_1, begin, bend = self.gamma_1, self.begin, self.bend
        if self.family == "bent":
            return np.asarray(gamma_1 * (x - 10 + bend * np.exp(-(x - begin + 0.5) / bend)))
        if self.family == "hyperbolic":
            return np.asarray(gamma_1 * (x - 10) - np.log1p(bend * np.exp(-0.5 * (x - begin))))
        return gamma_1 * (x - 10)

    def departure_of(self, z: Floats) -> Floats:
        """Return what the ln error has departed by, at z = 0 and beyond."""
        gamma_1, rise = self.gamma_1, self.rise
        return np.asarray(
            {
                "turn": np.log1p(gamma_1 / rise * np.exp((gamma_1 + rise) * z)),
                "sum": np.log1p(0.2 * np.exp((gamma_1 + rise) * z)),
                "kink": (gamma_1 + rise) * np.maximum(z, 0),
                "falling": 0.7 * gamma_1 * np.logaddexp(0, 1.5 * (z + 1)) / 1.5,
            }[self.shape]
        )

    def law_of(self, p: Floats, z: Floats) -> Floats:
        """Return the ln error without chance level and noise, of departures at z = 0."""
        law = np.log(0.2) - self.gamma_0 * p - self.envelope_of(self.x(p)) + self.departure_of(z)
        if self.family == FAILING:
            law = law + self.gamma_1 * self.gamma_2 / 2 * p / (1 + np.exp(-2 * (z + 1)))
        return np.asarray(law)

    def curves(
        self, size: NDArray[np.int64], seed: NDArray[np.int64], rng: np.random.Generator
    ) -> pd.DataFrame:
        """Return the curves of runs of these sizes (runs,) and seeds (runs,)."""
        p = self.p(size)
        x = self.x(p)
        z = x - 10 - self.gamma_2 * p - self.scatter * rng.normal(size=(len(size), 1))
        law = self.law_of(p, z) + self.offset * rng.normal(size=(len(size), 1))
        error = (np.exp(-8 * law) + 0.9**-8) ** (-1 / 8)  # saturates at the chance level
        error = np.minimum(error * np.exp(self.noise * rng.normal(size=x.shape)), 1)
        if self.family == "binomial":
            error = rng.binomial(1000, error) / 1000
        names = [f"{a}/{b}" for a, b in zip(size, seed, strict=True)]
        return pd.DataFrame(
            {
                "run": np.repeat(names, self.points),
                "train_size": np.repeat(size, self.points),
                "seed": np.repeat(seed, self.points),
                "log_norm": x.ravel(),
                "test_error": error.ravel(),
            }
        )


def world_of(family: str, number: int) -> tuple[World, np.random.Generator]:
    """Return what one study of a family is made with, and the generator that goes on to its runs."""
    rng = np.random.default_rng([number, (*FAMILIES, FAILING).index(family)])
    gamma_1, gamma_2 = float(rng.uniform(0.15, 0.7)), float(rng.uniform(0.6, 1.4))
    largest = float(rng.choice([16_000, 64_000]))
    count, seeds, points = int(rng.integers(5, 9)), int(rng.integers(3, 6)), int(rng.integers(35, 50))
    if family == "small":
        count, seeds = 5, 3
    if family == FAILING:
        largest, count, seeds = 64_000.0, 8, 5
    noise = 0.003 if family == "binomial" else float(np.exp(rng.uniform(np.log(0.003), np.log(0.03))))
    offset, scatter = float(rng.uniform(0, 0.03)), float(rng.uniform(0.03, 0.2))
    rise, reach = float(rng.uniform(0.3, 1.5)), float(rng.uniform(5, 8))
    bend = float(rng.uniform(0.5, 1.5))
    shape = ("turn", "kink", "sum", "turn")[number % 4]
    end = 2.0
    if family == "not_bracketed" and number % 2:
        shape = "falling"
    elif family == "not_bracketed":
        end = -0.3
    world = World(
        family=family,
        gamma_1=gamma_1,
        gamma_2=gamma_2,
        gamma_0=0.2 if family == "gamma_0" else 0.0,
        sizes=np.geomspace(1000, largest, count).astype(int),
        seeds=seeds,
        points=points,
        noise=noise,
        offset=offset,
        scatter=scatter,
        rise=rise,
        reach=reach,
        bend=bend,
        shape=shape,
        end=end,
    )
    return world, rng


def draw(family: str, number: int) -> tuple[pd.DataFrame, Truth]:
    """Return the curves of one study of a family with exponents, sizes, seeds and noise drawn at random.

    In "bent" and "hyperbolic" gamma_1 and gamma_2 are those of the definition: the mean slope of the envelope
    between the first and the last departure, and the slope of the departure norms, where 0.5 to 0.7 of the
    envelope's slope are lost.
    """
    world, rng = world_of(family, number)
    size = np.repeat(world.sizes, world.seeds)  # (runs,)
    curves = world.curves(size, np.tile(np.arange(world.seeds), len(world.sizes)), rng)
    return curves, truth_of(world, world.sizes)


def thinned(curves: pd.DataFrame, seeds: int = 2) -> pd.DataFrame:
    """Return at most so many seeds and every third point: the same laws in less time."""
    few = curves[curves["seed"] < seeds]
    return few[few.groupby("run").cumcount() % 3 == 0]


def truth_of(world: World, sizes: NDArray[np.int64]) -> Truth:
    """Return the exponents of a study of these train sizes."""
    p = world.p(sizes)
    law = world.law_of(p, world.x(p) - 10 - world.gamma_2 * p)
    exact = -np.logaddexp(-8 * law, -8 * np.log(0.9)) / 8
    gamma_meas = -float(np.polyfit(p[:, 0], exact.min(axis=1), 1)[0])
    gamma_1, gamma_2 = world.gamma_1, world.gamma_2
    if world.family in ("bent", "hyperbolic"):
        low, high = float(p.min()), float(p.max())
        fine = np.linspace(world.begin, 14 + gamma_2 * high, 20_001)
        lost = [
            np.gradient(world.departure_of(fine - 10 - gamma_2 * q)) / np.gradient(world.envelope_of(fine))
            for q in (low, high)
        ]
        first, end = (np.mean([fine[np.argmax(one >= f)] for f in (0.5, 0.6, 0.7)]) for one in lost)
        fall = np.diff(world.envelope_of(np.array([first, end])))[0]
        gamma_1, gamma_2 = float(fall / (end - first)), float((end - first) / (high - low))
    return Truth(world.gamma_0, gamma_1, gamma_2, gamma_meas)
