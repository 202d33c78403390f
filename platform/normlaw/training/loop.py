"""Train one run and measure it on its way."""

from __future__ import annotations

from pathlib import Path

from normlaw.study.spec import RunSpec
from normlaw.training.descent import Descent
from normlaw.training.evaluation import Point
from normlaw.training.linear.kept import KeptInputs
from normlaw.training.linear.path import evaluated_at_once, follow_norm
from normlaw.training.observer import Observer
from normlaw.training.run import Run
from normlaw.training.state import TrainingState
from normlaw_registry import Catalogue


def train(
    spec: RunSpec,
    catalogue: Catalogue,
    *,
    folder: Path = Path("data"),
    device: str = "cpu",
    observer: Observer | None = None,
    resume: TrainingState | None = None,
) -> list[Point]:
    """Train a run to its end and return its measurements in the order of their steps.

    On the CPU with a fixed number of threads, the same specification gives the same bits each time, whether
    it is trained in one go or resumed.

    Args:
        spec: the run, resolved.
        catalogue: where its components come from.
        folder: where files of data sets are looked for.
        device: where it trains, as torch names it: 'cpu', 'cuda', 'cuda:1'. The draws are the same on all.
        observer: is told of data and measurements, and may stop the run.
        resume: a state of this run at a measuring point, or that of its trunk where its intervention starts;
            the run goes on after it, and only measurements after it are returned.

    Raises:
        InputError: the data set is too small or missing, or does not fit the architecture.
        NeverStartedError: the run has an intervention, and came to its end before that started.
        TrainingDivergedError: the loss of a batch, or of all examples at a measuring point, is not finite.

    """
    observer = observer or Observer()
    if spec.follows_norm:  # computed in float64 by numpy, in seconds: it is not resumed
        run = Run(spec, catalogue, folder, "cpu", observer)
        observer.data(run.data)
        outputs_on = KeptInputs(run.forward, evaluated_at_once(run.data))
        for step in follow_norm(spec, run.network, run.data):
            if run.measure(step, outputs_on):
                break
            observer.safe_point(None)
    else:
        run = Run(spec, catalogue, folder, device, observer)
        observer.memory_format(run.memory_format)
        descent = Descent(run)
        descent.tell(run.follow(descent.updates.optimizer))
        if resume is None:
            observer.data(run.data)
            descent.at_the_beginning()
        else:
            run.load_state(resume)
            descent.load_state(resume)
        for step in descent.steps():
            if run.measure(step):
                break
            descent.measured(run.points[-1])
            if step < spec.total_steps:
                observer.safe_point(lambda: descent.state(run.measurer.state_dict(), run.callbacks_state()))
        if descent.intervening is not None:
            descent.intervening.require_started(int(run.points[-1]["step"]))
    run.finish()
    return run.points
