from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from normlaw.training.schedule import measuring_steps


@given(total=st.integers(1, 10**7), points=st.integers(1, 200))
def test_from_step_0_to_the_last_without_repetition(total: int, points: int) -> None:
    steps = measuring_steps(total, points)
    assert steps[0] == 0
    assert steps[-1] == total
    assert list(steps) == sorted(set(steps))
    assert len(steps) <= points + 2


def test_ratios_are_constant_where_rounding_does_not_matter() -> None:
    steps = measuring_steps(10**6, 61)
    late = [b / a for a, b in pairwise(steps) if a > 1000]
    assert max(late) / min(late) < 1.001
