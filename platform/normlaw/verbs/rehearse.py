"""`normlaw run --dry-run`: what a launch would do, the runs, what they cost, and what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from normlaw.base.html import listed, paragraph, table, together
from normlaw.execution.devices import available_cores, choose_device, processors
from normlaw.launching.preflight import Problem, Trials, combinations
from normlaw.launching.support import check_support
from normlaw.study import home as kept
from normlaw.study.expansion import planned_runs
from normlaw.study.home import journal_path
from normlaw.tracking.record import is_done
from normlaw.training.cost import run_seconds
from normlaw.verbs.load_study import AnyStudy, load_study
from normlaw_registry import load_catalogue


@dataclass(frozen=True)
class Row:
    """A run of the study."""

    name: str
    steps: int
    seconds: float | None
    """CPU time on one thread of this machine; None where it is not known, or the run cannot be trained."""
    trained: bool
    """Whether the journals of this folder have it finished."""


@dataclass(frozen=True)
class Rehearsal:
    """What a launch would do."""

    rows: list[Row]
    combinations: int
    """Distinct combinations of network, data set and norms, each tried once."""
    problems: list[Problem]

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        rows = [
            [
                row.name,
                f"{row.steps:,}",
                "?" if row.seconds is None else f"{row.seconds:,.1f}",
                "yes" if row.trained else "",
            ]
            for row in self.rows
        ]
        return together(
            table(["run", "steps", "seconds", "trained here"], rows),
            paragraph(
                f"{len(self.rows)} runs", *([f"in {self.seconds:,.0f} s"] if self.seconds is not None else [])
            ),
            listed(problem.message for problem in self.problems),
        )

    @property
    def seconds(self) -> float | None:
        """How long all runs that are not trained yet take with one on each core; None where it is not known."""
        left = [row.seconds for row in self.rows if not row.trained]
        known = [seconds for seconds in left if seconds is not None]
        if len(known) < len(left):
            return None
        return sum(known) / max(1, min(available_cores(), len(known)))


def rehearse(
    study: AnyStudy,
    *,
    scale: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    home: Path | None = None,
    device: str = "auto",
) -> Rehearsal:
    """Return what `run` would do here, without doing it; `normlaw run --dry-run`. Nothing is written.

    Args:
        study: a study, or what `load_study` takes.
        scale: a variant of it in another size.
        overrides: values that go over the study's, by dotted keys; see `load_study`.
        home: folder of the journals; default NORMLAW_HOME, else .normlaw in the working folder.
        device: where it would be trained; see `choose_device`.

    Returns:
        The runs with their cost, and what cannot be trained and why.

    Raises:
        InputError: the study asks for what is not there.

    """
    loaded, catalogue = load_study(study, scale=scale, overrides=overrides), load_catalogue()
    home = home or kept.HOME
    plans = planned_runs(loaded, catalogue)
    device = choose_device(device)
    check_support((planned.spec for planned in plans.values()), catalogue, device)
    combined = combinations(plans.values())
    with Trials(processors(device)[0], home / "data") as trials:
        problems = trials.problems(combined)
    misfits = frozenset().union(*(problem.runs for problem in problems))
    fitting = [planned.spec for spec_hash, planned in plans.items() if spec_hash not in misfits]
    seconds = run_seconds(fitting, catalogue)
    rows = [
        Row(
            loaded.run_name(planned.spec),
            planned.spec.total_steps,
            seconds.get(spec_hash),
            is_done(journal_path(home, loaded.name, spec_hash), planned.spec),
        )
        for spec_hash, planned in plans.items()
    ]
    return Rehearsal(rows, len(combined), problems)
