"""The plan: what single actions would bring, and what a budget is best spent on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import pandas as pd

from normlaw.analysis.choosing import choose
from normlaw.analysis.curves import prepare, restricted
from normlaw.analysis.options import Options
from normlaw.analysis.planning.afresh import Afresh, Change, Seconds, ways
from normlaw.analysis.planning.design import (
    FEWEST,
    Candidate,
    Setting,
    design,
    evenly,
    half_width_of,
    log_width,
)
from normlaw.analysis.planning.foreseeing import checked
from normlaw.analysis.planning.paths import Paths
from normlaw.analysis.running import run
from normlaw_registry import AnalysisWarning, Catalogue, Estimate, InputError
from normlaw_registry.dataset import EXAMPLES

HOUR = 3600.0


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The model of one setting's curves, and what further runs of it would cost."""

    protocol: str
    setting: Setting
    paths: Paths
    seconds: Seconds
    measured: Mapping[int, int]
    """Runs by train size."""
    changes: tuple[Change, ...]
    """How the whole study could be trained again."""
    warnings: tuple[AnalysisWarning, ...]
    unit: str = EXAMPLES
    """What train sizes count."""

    def again(self, budget: float | None = None) -> Iterator[Afresh]:
        """Yield the ways of training all of it again."""
        return ways(self.setting.foresee, self.paths, self.seconds, self.measured, self.changes, budget)


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What further runs would do to the interval of gamma_pred in one setting."""

    protocol: str
    confidence: float
    """Level of all limits."""
    now: Estimate
    """gamma_pred as it was found."""
    actions: pd.DataFrame
    """A row an action, what narrows most for a core-hour first: action, runs, core_hours, half_width (half of
    the interval foretold), narrower (the share of the half-width now that goes, negative: wider), and
    per_core_hour, which is narrower / core_hours."""
    added: Mapping[int, int]
    """The plan: further runs by train size; empty without a budget, or where `again` is better."""
    again: Afresh | None
    """The plan, where all is better trained again."""
    core_hours: float
    """What the plan costs."""
    foretold: Estimate
    """gamma_pred after the plan."""
    evenly: Estimate
    """gamma_pred after the same budget, spent on more seeds of every train size."""
    warnings: tuple[AnalysisWarning, ...] = ()
    unit: str = EXAMPLES
    """What train sizes count."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything in JSON's own types."""
        again = self.again
        return {
            "protocol": self.protocol,
            "confidence": self.confidence,
            "train_size_unit": self.unit,
            "now": self.now.to_dict(),
            "actions": self.actions.to_dict("records"),
            "added": [{"train_size": size, "runs": runs} for size, runs in sorted(self.added.items())],
            "again": None
            if again is None
            else {
                "change": again.change,
                "factor": again.factor,
                "runs": [{"train_size": size, "runs": runs} for size, runs in sorted(again.runs.items())],
            },
            "core_hours": self.core_hours,
            "foretold": self.foretold.to_dict(),
            "evenly": self.evenly.to_dict(),
            "warnings": [{"code": w.code, "message": w.message} for w in self.warnings],
        }


def fitted(
    curves: pd.DataFrame,
    catalogue: Catalogue,
    options: Options,
    seconds: Seconds,
    sizes: Sequence[int],
    changes: tuple[Change, ...] = (),
    unit: str = EXAMPLES,
) -> Fitted:
    """Fit a protocol's model to curves, and lay out what may be trained.

    Args:
        curves: as `analyse` takes them; with a column `step`, longer training can be foretold.
        catalogue: where the protocol is found.
        options: the protocol and its choices.
        seconds: core-seconds of a run.
        sizes: train sizes that may be added.
        changes: how the whole study could be trained again.
        unit: what train sizes count.

    Raises:
        InputError: the curves cannot be used, or the protocol cannot foretell.
        NormlawError: the protocol failed in a way of its own; names the plugin.

    """
    chosen = choose(options, catalogue)
    points, warnings = prepare(restricted(curves, options), options.measured)
    findings = run(chosen.protocol, chosen.params, points, catalogue, options.confidence, options.measured)
    foresee = checked(chosen.protocol.name, findings.foresee, catalogue)
    paths = Paths(points)
    measured = points.groupby("run", sort=False)["train_size"].first().value_counts()
    there = {int(size): int(measured[size]) for size in sorted(measured.index)}
    candidates = [
        Candidate(size, paths.of(size), seconds(size, 1.0, 1.0), there.get(size, 0))
        for size in sorted({*there, *sizes})
    ]
    return Fitted(
        protocol=chosen.protocol.name,
        setting=Setting(foresee, candidates),
        paths=paths,
        seconds=seconds,
        measured=there,
        changes=tuple(change for change in changes if change != "longer" or paths.has_steps),
        warnings=(*chosen.notes, *warnings, *findings.warnings),
        unit=unit,
    )


def outlooks(models: Sequence[Fitted], confidence: float, budget: float | None) -> list[Outlook]:
    """Return what further runs would do in each setting of a study.

    Args:
        models: one a setting.
        confidence: level of all limits.
        budget: core-seconds for all settings together; None: no plan is made.

    Raises:
        InputError: the budget pays for no run.

    """
    settings = [model.setting for model in models]
    chosen = even = [Counter[int]() for _ in models]
    again: Afresh | None = None
    if budget is not None:
        _require_enough(settings, budget)
        chosen, even = design(settings, budget), evenly(settings, budget)
        if len(models) == 1:
            again = min(models[0].again(budget), key=lambda way: half_width_of(way.estimate), default=None)
            if again is not None and log_width(settings, chosen) <= log(half_width_of(again.estimate)):
                again = None
    found = []
    for model, added, more in zip(models, chosen, even, strict=True):
        setting = model.setting
        seconds = setting.seconds(added) if again is None else again.seconds
        found.append(
            Outlook(
                protocol=model.protocol,
                confidence=confidence,
                now=setting.estimate({}),
                actions=actions(model),
                added=dict(added) if again is None else {},
                again=again,
                core_hours=seconds / HOUR,
                foretold=setting.estimate(added) if again is None else again.estimate,
                evenly=setting.estimate(more),
                warnings=model.warnings,
                unit=model.unit,
            )
        )
    return found


def actions(model: Fitted) -> pd.DataFrame:
    """Return what single actions would bring, see `Outlook.actions`."""
    setting, rows = model.setting, []
    now = setting.half_width({})
    for one in setting.candidates:
        runs = 1 if one.measured else FEWEST
        said = f"1 more seed at P = {one.train_size:,}" if one.measured else f"new P = {one.train_size:,}"
        rows.append((said, runs, runs * one.seconds, setting.half_width({one.train_size: runs})))
    even = setting.even(1)
    rows.append(("1 more seed at every P", len(even), setting.seconds(even), setting.half_width(even)))
    rows += [
        (way.told, sum(way.runs.values()), way.seconds, half_width_of(way.estimate)) for way in model.again()
    ]
    table = pd.DataFrame(rows, columns=["action", "runs", "core_hours", "half_width"])
    table["core_hours"] /= HOUR
    table["narrower"] = 1 - table["half_width"] / now
    table["per_core_hour"] = table["narrower"] / table["core_hours"]
    return table.sort_values("per_core_hour", ascending=False, kind="stable", ignore_index=True)


def _require_enough(settings: Sequence[Setting], budget: float) -> None:
    least = min(one.seconds * (1 if one.measured else FEWEST) for s in settings for one in s.candidates)
    if least > budget:
        raise InputError(
            f"a budget of {budget / HOUR:.3g} core-hours pays for no run of this study: the cheapest takes "
            f"{least / HOUR:.3g}"
        )
