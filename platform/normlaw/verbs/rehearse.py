"""What a launch would do, without doing it: the runs, what they cost, and what does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from normlaw.execution.devices import available_cores, choose_device, processors
from normlaw.launching.preflight import Problem, Trials, combinations
from normlaw.launching.support import check_support
from normlaw.study.home import HOME, journal_path
from normlaw.study.study import Study, planned_runs
from normlaw.study.yaml_source import YamlSource
from normlaw.tracking.record import is_done
from normlaw.training.cost import run_seconds
from normlaw_registry import Catalogue


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

    @property
    def seconds(self) -> float | None:
        """How long all runs that are not trained yet take with one on each core; None where it is not known."""
        left = [row.seconds for row in self.rows if not row.trained]
        known = [seconds for seconds in left if seconds is not None]
        if len(known) < len(left):
            return None
        return sum(known) / max(1, min(available_cores(), len(known)))


def rehearse(
    study: Study, source: YamlSource, catalogue: Catalogue, *, home: Path = HOME, device: str = "auto"
) -> Rehearsal:
    """Return what a launch of a study would do on this machine. Trains nothing, and writes nothing.

    Args:
        study: what would be trained.
        source: where it was written, for the lines in messages.
        catalogue: where its components come from.
        home: folder of journals and data sets.
        device: where it would be trained; see `choose_device`.

    Raises:
        InputError: the study asks for what is not there.

    """
    plans = planned_runs(study, catalogue, source)
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
            study.run_name(planned.spec),
            planned.spec.total_steps,
            seconds.get(spec_hash),
            is_done(journal_path(home, study.name, spec_hash), planned.spec),
        )
        for spec_hash, planned in plans.items()
    ]
    return Rehearsal(rows, len(combined), problems)
