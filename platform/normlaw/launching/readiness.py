"""Make ready what trains, only once something is missing: it takes torch, whose import takes seconds.

The workers load it, and the launcher does not where it runs of the CPU alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

from normlaw.execution import nest
from normlaw.execution.choice import Executor, ExecutorChoice
from normlaw.execution.devices import largest_stack
from normlaw.execution.job import Stack
from normlaw.execution.signals import put_off
from normlaw.launching.display import Display
from normlaw.launching.support import check_support
from normlaw.machine import environment, processor
from normlaw.machine.examine import quick
from normlaw.study.expansion import Planned
from normlaw.study.spec import RunSpec
from normlaw_registry import Catalogue


@dataclass(frozen=True)
class Hands:
    """An executor that can train what is missing, and where."""

    executor: Executor
    device: str
    described: str
    """What a run's record says of the device."""
    catalogue: Catalogue

    def stacking(
        self, missing: Sequence[RunSpec], folder: Path, size: int | None, display: Display
    ) -> Callable[[list[RunSpec]], list[Stack]]:
        """Return what puts runs into stacks, and say why some are trained alone that were to be stacked.

        Args:
            missing: the runs.
            folder: of the data sets' files.
            size: runs that one process trains together; by default many on a GPU, each alone on a CPU.
            display: says it.

        """
        size = size or largest_stack(self.device)
        if size == 1:
            return each_alone
        from normlaw.training.stacking import alone, stacks

        for reason in sorted({why for spec in missing if (why := alone(spec, self.catalogue))}):
            display.say(f"{reason}: these runs are trained one by one")
        return partial(stacks, catalogue=self.catalogue, folder=folder, size=size)


def each_alone(specs: list[RunSpec]) -> list[Stack]:
    """Return runs in stacks of one."""
    return [(spec,) for spec in specs]


def make_ready(
    opened: ExitStack,
    choice: ExecutorChoice,
    device: str,
    home: Path,
    catalogue: Catalogue,
    display: Display,
    missing: Collection[Planned],
    *,
    download: bool,
    offline: bool,
) -> Hands:
    """Open the executor and try out, each combination once, what it is to train.

    Args:
        opened: closes the executor in the end.
        choice: which executor.
        device: as the user names it; see `choose_device`.
        home: folder of the journals.
        catalogue: where components come from.
        display: shows what happens.
        missing: the runs that are to be trained.
        download: whether files of data sets may be fetched.
        offline: whether MLflow is not asked, and not loaded.

    Raises:
        InputError: a run, the device or the executor cannot do what is asked for.

    """
    if choice.name == "local":
        nest.begin()
    if not offline:
        import_module("normlaw.tracking.online")  # MLflow: while what workers are forked from loads torch
    with display.working("loading torch"):
        from normlaw.launching.preflight import Trials, check, combinations

        nest.settle()
    for finding in quick(catalogue, home, processor.doubts):
        if finding.state != "good":
            display.say(f"{finding.check}: {finding.said}; {finding.advice}")
    executor = opened.enter_context(choice.open(home, environment.plugin_versions(catalogue), display.say))
    device = executor.choose_device(device)
    check_support((planned.spec for planned in missing), catalogue, device)
    combined = combinations(missing)
    trials = Trials(executor.trial_device(device), home / "data", download=download)
    with trials, display.trying(len(combined)):
        check(combined, trials)
        with put_off():  # a process that nobody holds could not be ended
            executor.take(trials.give_away())
    return Hands(executor, device, executor.describe_device(device), catalogue)
