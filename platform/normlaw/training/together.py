"""Train runs together that differ in their seed: a GPU that one small network leaves idle takes many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from normlaw.study.spec import RunSpec
from normlaw.training.batch_order import BatchOrder
from normlaw.training.memory_format import STACKED
from normlaw.training.observer import Observer
from normlaw.training.run import Run
from normlaw.training.schedule import measuring_steps
from normlaw.training.stack import Member, NetworkStack
from normlaw.training.stacking import require_room
from normlaw.training.state import TrainingState
from normlaw_registry import Catalogue


def train_together(
    specs: Sequence[RunSpec],
    catalogue: Catalogue,
    observers: Sequence[Observer],
    *,
    folder: Path = Path("data"),
    device: str = "cpu",
    resume: Sequence[TrainingState] = (),
) -> list[BaseException | None]:
    """Train runs as one stacked computation; each has its own data order, measurements and end.

    Each run's curve is that of `loop.train` but for rounding, which depends on the stack.

    Args:
        specs: runs that `stacking.stacks` puts together.
        catalogue: where their components come from.
        observers: one a run; an exception that one raises ends its run alone.
        folder: where files of data sets are looked for.
        device: where they train.
        resume: a state a run, all at one step; none to begin.

    Returns:
        For each run, what ended it early: None when it came to its end.

    Raises:
        StackTooLargeError: they do not fit the device together.
        Exception: what the computation raised as a whole, such as torch.OutOfMemoryError, or that an operation
            of a network cannot be stacked.

    """
    runs = [
        Run(spec, catalogue, folder, device, observer) for spec, observer in zip(specs, observers, strict=True)
    ]
    require_room(runs, device)
    members = []
    for number, run in enumerate(runs):
        if run.data.splits is runs[0].data.splits:  # one copy on the device, and one forward pass for all
            run.data = replace(run.data, test=runs[0].data.test)
        member = Member(run, BatchOrder(run.spec, run.data.train.split.labels.device))
        if resume:
            run.network.load_state_dict(resume[number].network)
            run.measurer.load_state_dict(resume[number].measurer)
            member.order.load_state_dict(resume[number].order)
            member.optimizer_state = resume[number].optimizer
            member.intervention_state = resume[number].intervention
        else:
            run.observer.data(run.data)
        run.observer.memory_format(STACKED)
        members.append(member)
    begun_at = resume[0].step if resume else -1
    stack = NetworkStack(members, max(0, begun_at))
    if not resume:
        stack.at_the_beginning()
    plans = [set(measuring_steps(spec.total_steps, spec.measuring_points)) for spec in specs]
    plan_of = dict(zip(map(id, runs), plans, strict=True))
    for target in sorted(set().union(*plans)):
        if target <= begun_at:
            continue
        stack.advance(target)
        due = {place for place, m in enumerate(stack.members) if target in plan_of[id(m.run)] or m.error}
        if due:
            stack.load()
        ended = _measured(stack, due, target)
        if len(ended) == len(stack.members):
            break
        if ended:
            stack = stack.without(ended)
    return [member.error for member in members]


def _measured(stack: NetworkStack, due: set[int], step: int) -> set[int]:
    """Measure some members, let their intervention start if it is due, and return who has ended."""
    ended = {place for place in due if _measure(stack, place, step)}
    if due:
        stack.measured(step)
    return ended | {place for place in due - ended if _left_at(stack, place)}


def _left_at(stack: NetworkStack, place: int) -> bool:
    """Tell the observer of a member that it may be left here; return whether the member has ended by that."""
    member = stack.members[place]
    try:
        member.run.observer.safe_point(lambda: stack.state(place))
    except BaseException as error:  # noqa: BLE001  # as in `_measure`
        member.error = error
        return True
    return False


def _measure(stack: NetworkStack, place: int, step: int) -> bool:
    """Measure one member; return whether it has ended."""
    member = stack.members[place]
    run = member.run
    if member.error is not None:
        return True
    try:
        by_rule = run.measure(step, partial(stack.outputs_on, place))
        if by_rule or step == run.spec.total_steps:
            if stack.intervening is not None:
                stack.intervening.require_started(step)
            run.finish()
            return True
    except BaseException as error:  # noqa: BLE001  # this run's alone, as when a measure calls sys.exit: the others go on
        member.error = error
        return True
    return False
