"""The steps that an arm does not train itself, since its trunk has: what a study costs counts them once."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw.study.spec import RunSpec
from normlaw.training.schedule import measuring_steps


def shared_steps(spec: RunSpec, trained: Iterable[str]) -> int:
    """Return the step at which a run goes on from its trunk; 0 where it is trained from the beginning.

    An arm that leaves at an error or a norm counts as whole: when that comes is not known beforehand.

    Args:
        spec: the run.
        trained: hashes of the runs that are trained beside it.

    """
    trunk, start = spec.trunk, spec.intervention.start
    if trunk is None or start is None or start.step is None or trunk.spec_hash not in trained:
        return 0
    return next((s for s in measuring_steps(spec.total_steps, spec.measuring_points) if s >= start.step), 0)
