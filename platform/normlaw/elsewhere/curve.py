"""From what another program logged of a run to a learning curve under normlaw's names."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from normlaw.analysis.columns import RESPONSES, plain
from normlaw.analysis.ranges import LARGEST, out_of_range
from normlaw.elsewhere.logged import Floats, LoggedRun, Series, Steps
from normlaw.elsewhere.taking import Taking, is_metric
from normlaw_registry import InputError
from normlaw_registry.errors import brief, nearest

SHOWN = 8
"""Names of the other program that a message lists."""
MOST_TEXT = 500
"""Characters of a parameter's value: what every MLflow takes."""


NUMBER = r"[0-9][0-9.eE+-]*"
"""What stands for itself where the name of a parameter is expected."""


class LacksError(InputError):
    """A run lacks what a curve needs."""


@dataclass(frozen=True)
class Curve:
    """A learning curve from elsewhere: `steps` (n,), and each of `values`, by normlaw's names, (n,)."""

    name: str
    origin: str
    train_size: int
    seed: int
    settings: Mapping[str, str]
    steps: Steps
    values: Mapping[str, Floats]

    @property
    def identity(self) -> str:
        """Return what curves have in common that are the same, value for value."""
        about = [self.train_size, self.seed, sorted(self.settings.items()), sorted(self.values)]
        digest = hashlib.sha256(json.dumps(about).encode())
        for numbers in (self.steps, *(self.values[name] for name in sorted(self.values))):
            digest.update(numbers.astype(numbers.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()[:16]


def wanted(taking: Taking, there: Sequence[str]) -> dict[str, str]:
    """Return the columns that can be had of metrics of these names, with the metric of each."""
    own = [name for name in there if is_metric(name)]
    columns = dict.fromkeys([*taking.numbers, *own])
    return {column: name for column in columns if (name := taking.metric_of(column).name) in there}


def curve_of(run: LoggedRun, taking: Taking) -> Curve:
    """Return the curve of a run: a point at each step that has a test error or loss, and a norm.

    Raises:
        LacksError: there is no train size, no response, no norm, or none at one step; says what there is.
        InputError: a value is out of range.

    """
    params = dict(run.params)
    if taking.names is not None:
        if (found := taking.names.fullmatch(run.name)) is None:
            raise LacksError(f"run {brief(run.name)} is not called as `names` says")
        params |= found.groupdict()
    columns = wanted(taking, list(run.series))
    _refuse_lacking(run, taking, params, columns)
    size = _whole(run, "train_size", taking, params)
    seed = 0 if "seed" not in taking.params and "seed" not in params else _whole(run, "seed", taking, params)
    apart = [name for name in taking.params if name not in ("train_size", "seed")]
    settings = {name: _text(run, name, taking, params) for name in apart}
    responses = [name for name in RESPONSES if name in columns]
    norms = [name for name in columns if name.startswith("log_norm/")]
    taken = {column: _applied(run.series[name], column, taking, run) for column, name in columns.items()}
    steps = np.intersect1d(_steps(taken, responses), _steps(taken, norms), assume_unique=True)
    if not len(steps):
        pair = f"{taking.metric_of(responses[0]).name!r} and {taking.metric_of(norms[0]).name!r}"
        raise LacksError(f"run {brief(run.name)}: {pair} were never logged at the same step")
    return Curve(
        run.name, run.origin, size, seed, settings, steps, {c: _at(s, steps) for c, s in taken.items()}
    )


def _refuse_lacking(
    run: LoggedRun, taking: Taking, params: Mapping[str, str], columns: Mapping[str, str]
) -> None:
    """Refuse a run in one message that names all that it lacks, and lists what it has instead."""
    numbers = {column: taking.metric_of(column).name for column in taking.numbers if column not in columns}
    for column, has in (
        ("test/error", any(name in (*columns, *numbers) for name in RESPONSES)),
        ("log_norm/MEASURE", any(name.startswith("log_norm/") for name in (*columns, *numbers))),
    ):
        if not has:
            numbers[column] = column
    apart = ("train_size", *taking.params)
    texts = {name: taking.param_of(name) for name in apart if not _is_known(taking.param_of(name), params)}
    told = [*_lacking(texts, "parameter", list(params)), *_lacking(numbers, "metric", list(run.series))]
    if told:
        first = next(iter([*texts, *numbers]))
        raise LacksError(f"run {brief(run.name)} has {'; '.join(told)}. Say what is which: --take {first}=NAME")


def _lacking(lacking: Mapping[str, str], what: str, there: Sequence[str]) -> list[str]:
    """Return what is told of parameters, or of metrics, that are not there."""
    if not lacking:
        return []
    named = [column if name == column else f"{brief(name)} for {column}" for column, name in lacking.items()]
    near = [found for name in lacking.values() if name != "log_norm/MEASURE" for found in nearest(name, there)]
    hint = f", did you mean {' or '.join(map(brief, dict.fromkeys(near)))}?" if near else ""
    shown = ", ".join([*map(brief, sorted(there)[:SHOWN]), *["..."] * (len(there) > SHOWN)]) or "none"
    return [f"no {what} {' and '.join(named)}{hint} (its {what}s: {shown})"]


def _is_known(name: str, params: Mapping[str, str]) -> bool:
    return name in params or re.fullmatch(NUMBER, name) is not None


def _text(run: LoggedRun, column: str, taking: Taking, params: Mapping[str, str]) -> str:
    """Return a parameter, or the number that was given in its place."""
    name = taking.param_of(column)
    text = params.get(name, name)
    if len(text) > MOST_TEXT:
        raise InputError(f"run {brief(run.name)}: {column} must have {MOST_TEXT} characters at most")
    return text


def _whole(run: LoggedRun, column: str, taking: Taking, params: Mapping[str, str]) -> int:
    text = _text(run, column, taking, params)
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    least = 1 if column == "train_size" else -LARGEST
    if not (number == np.round(number) and least <= number <= LARGEST):
        at_least = " of at least 1" if column == "train_size" else ""
        raise InputError(f"run {brief(run.name)}: {column} must be a whole number{at_least}, got {brief(text)}")
    return int(number)


def _applied(series: Series, column: str, taking: Taking, run: LoggedRun) -> Series:
    """Return the series in normlaw's terms, without what is no number."""
    used = taking.metric_of(column)
    values = used.apply(series.values)
    if used.text.startswith("log(") and np.isfinite(series.values).any():
        lost = np.isfinite(series.values) & ~np.isfinite(values)
        if lost.any():
            step, value = int(series.steps[lost][0]), float(series.values[lost][0])
            raise InputError(f"run {brief(run.name)}: {used.text} of {value:g} at step {step} is no number")
    number = pd.Series(np.where(np.isfinite(values), values, np.nan))
    checked = plain(column)
    for bad, what in out_of_range(checked, number):
        if bad.any():
            at = int(np.flatnonzero(bad.to_numpy())[0])
            hint = "; is it in per cent? Write NAME / 100" if checked.endswith("error") else ""
            raise InputError(
                f"run {brief(run.name)}: {column} = {used.text} is {values[at]:g} at step "
                f"{int(series.steps[at])}, and {what}{hint}"
            )
    there = number.notna().to_numpy()
    return Series(series.steps[there], np.asarray(values[there]))


def _steps(taken: Mapping[str, Series], columns: Sequence[str]) -> Steps:
    found: Steps = np.unique(np.concatenate([taken[column].steps for column in columns]))
    return found


def _at(series: Series, steps: Steps) -> Floats:
    """Return the values at these steps, NaN where there is none."""
    values = np.full(len(steps), np.nan)
    at = np.searchsorted(series.steps, steps)
    there = at < len(series.steps)
    there[there] = series.steps[at[there]] == steps[there]
    values[there] = series.values[at[there]]
    return values
