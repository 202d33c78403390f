"""Log the exact curves of a theory: a run of kind `theory` for each, read back as trained runs are."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Experiment

from normlaw.tracking import keys
from normlaw.tracking.experiment import opened
from normlaw.tracking.sizes import TRAIN_SIZE
from normlaw.tracking.whole_run import Value, WholeRun
from normlaw.tracking.whole_writer import WholeRunWriter
from normlaw_registry import InputError, Params, Theory

OWN_NAMES = {f"{where}_{what}": f"{where}/{what}" for where in ("test", "train") for what in ("error", "loss")}
"""Observables that are what a trained run measures -> its metrics."""


@dataclass(frozen=True)
class TheoryCurve:
    """A curve along the last axis of a theory, in the order of that axis."""

    theory: str
    params: Mapping[str, Any]
    held: Mapping[str, float]
    """The other axes' values."""
    told: Mapping[str, float]
    """Those of them that its run lists as parameters; `alpha` is a load, train_size are the examples."""
    axis: str
    train_size: int
    points: tuple[Mapping[str, float], ...]
    """The axes and observables at each, by name."""
    references: Mapping[str, float]
    """What to compare the observables with, by name."""
    norm: str | None
    """The axis or observable that is the weights' norm."""
    clocks: tuple[str, ...]
    """Axes and observables that the curve can be read against too."""

    @classmethod
    def of(
        cls, theory: Theory, params: Params, *, points: Sequence[Mapping[str, float]], train_size: int
    ) -> TheoryCurve:
        """Build the curve of these points, which differ in the last axis alone."""
        axis = theory.axes[-1]
        held = {one.name: points[0][one.name] for one in theory.axes[:-1]}
        references = {}
        for name, reference in theory.compared.items():
            if set(reference.axes) <= set(held):
                try:
                    references[name] = float(reference.value(params, held))
                except InputError:  # there is none for this curve
                    continue
        norm = norm_of(theory)
        clocks = [axis.name, *(o.name for o in theory.observables if not o.name.startswith("test_"))]
        return cls(
            theory=theory.name,
            params=params.model_dump(mode="json"),
            held=held,
            told={
                "alpha" if one.role == "load" else f"theory.{one.name}": held[one.name]
                for one in theory.axes[:-1]
                if one.role != "examples"
            },
            axis=axis.name,
            train_size=train_size,
            points=tuple(points),
            references=references,
            norm=norm,
            clocks=tuple(name for name in clocks if name != norm) if theory.solve is not None else (),
        )

    @property
    def of_load_and_norm(self) -> bool:
        """Whether it is told from others as the first curves were, those of error at a load against norm."""
        return tuple(self.held) == ("alpha",) and self.axis == "lambda"

    @property
    def spec_hash(self) -> str:
        """Identity: what was asked, not what was answered."""
        values = [point[self.axis] for point in self.points]
        asked = {"theory": self.theory, "params": dict(self.params), "train_size": self.train_size}
        if self.of_load_and_norm:
            asked |= {"alpha": self.held["alpha"], "norms": values}
        else:
            asked |= {"held": dict(self.held), "axis": self.axis, "values": values}
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def frame(self) -> pd.DataFrame:
        """The curve as a trained run's: step, train_size, test/error, log_norm/..., all else as theory/..."""
        rows: list[dict[str, float]] = []
        for step, point in enumerate(self.points):
            row: dict[str, float] = {"step": step}
            row |= {metric: point[name] for name, metric in OWN_NAMES.items() if name in point}
            if self.norm is not None:
                row[keys.log_norm(keys.THEORY_NORM)] = _log(point[self.norm])
            row |= {keys.log_norm(name): _log(point[name]) for name in self.clocks}
            known = {*OWN_NAMES, *self.clocks, *self.held, self.norm, self.axis}
            row |= {f"theory/{name}": value for name, value in point.items() if name not in known}
            rows.append(row)
        return pd.DataFrame(rows).assign(train_size=self.train_size, seed=0, **self.held)


def norm_of(theory: Theory) -> str | None:
    """Return the axis or observable that is the norm of the weights; None: it has none."""
    axes = [axis.name for axis in theory.axes if axis.role == "norm"]
    return next((name for name in (*axes, *(o.name for o in theory.observables if o.name == "norm"))), None)


def _log(value: float) -> float:
    """Return the natural log, and no number where there is none: the curve has no point there."""
    return math.log(value) if 0 < value < math.inf else math.nan


def open_study(client: MlflowClient, study: str, theory: Theory) -> Experiment:
    """Return the experiment of that name, made where there is none yet."""
    norm = keys.THEORY_NORM if norm_of(theory) is not None else theory.axes[-1].name
    return opened(client, study, {keys.NORM: norm})


def log_theory(client: MlflowClient, experiment: Experiment, curves: list[TheoryCurve]) -> int:
    """Log the curves that the experiment does not have yet; return how many those were."""
    return WholeRunWriter(client, experiment, "theory").write(map(_run, curves)).logged


def _run(curve: TheoryCurve) -> WholeRun:
    params = {
        "theory": curve.theory,
        "train_size": curve.train_size,
        **{f"theory.{key}": value for key, value in curve.params.items()},
        **curve.told,
    }
    return WholeRun(
        kind="theory",
        identity=curve.spec_hash,
        name=" ".join(["theory", curve.theory, *(f"{name}={value:g}" for name, value in curve.held.items())]),
        params={key: str(value) for key, value in params.items()},
        values=list(_values(curve)),
        write_files=lambda folder: curve.frame.to_parquet(folder / keys.CURVE, index=False),
    )


def _values(curve: TheoryCurve) -> Iterator[Value]:
    for row in curve.frame.drop(columns=["train_size", "seed", *curve.held]).to_dict("records"):
        step = int(row.pop("step"))
        yield from ((str(key), step, float(value)) for key, value in row.items())
    for name, size in {TRAIN_SIZE: curve.train_size, **curve.told}.items():
        yield name, 0, float(size)
    for name, error in curve.references.items():
        yield f"{keys.REFERENCE}{name}", 0, float(error)
