"""What a complexity measure must do that follows a run through its callback."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

from normlaw_registry.complexity import ComplexityMeasure, MeasuredValue
from normlaw_registry.component import Params
from normlaw_registry.errors import ComponentError, InputError
from normlaw_registry.testing.callback import Case, check_callback, default_cases
from normlaw_registry.testing.context import measurement_context
from normlaw_registry.testing.followed_run import followed, short_run
from normlaw_registry.testing.measured_value import check_value
from normlaw_registry.testing.verdict import require


def check_following(measure: ComplexityMeasure, params: Params, cases: Sequence[Case] | None = None) -> None:
    """Take a measure at the end of short runs that its callback follows.

    The callback must keep its own contract. It may refuse a run, but must serve one. The measure must be
    finite, and the same when it is asked again and after a second run of the same bits.
    """
    import torch

    assert measure.callback is not None
    check_callback(measure.callback, params, cases=cases)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for case in default_cases() if cases is None else cases:
            try:
                taken = [value for _ in range(2) for value in _taken_twice(measure, params, case)]
            except ComponentError:
                raise
            except InputError:
                continue
            for value in taken:
                check_value(measure, value)
            require(
                measure,
                len({value.log_value for value in taken}) == 1,
                f"measurements of one run differ ({[value.log_value for value in taken]}): read the follower "
                "without changing it",
            )


def _taken_twice(measure: ComplexityMeasure, params: Params, case: Case) -> list[MeasuredValue]:
    network, task, loss = case
    assert measure.callback is not None
    run = short_run(copy.deepcopy(network), task, loss=loss)
    follower = followed(measure.callback, params, run).follower
    context = replace(measurement_context(run.network, task), follower=follower)
    return [measure.measure(params, context) for _ in range(2)]
