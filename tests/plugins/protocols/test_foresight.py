"""What the envelope model foretells of further runs: information that adds up, sizes that are new."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from normlaw_plugins.protocols.envelope import ENVELOPE
from normlaw_plugins.protocols.envelope_model.foresight import Foresight, posterior_mean
from normlaw_plugins.protocols.envelope_model.likelihood import gaussian, linearise
from normlaw_registry import PlannedRuns, validate_params
from normlaw_registry.testing.protocol import analysis_context, synthetic_curves

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    return synthetic_curves()


@pytest.fixture(scope="module")
def foresight(curves) -> Foresight:
    found = ENVELOPE.analyse(curves, validate_params(ENVELOPE, {}), analysis_context(ENVELOPE))
    assert isinstance(found.foresee, Foresight)
    assert found.foresee([], False)["gamma_pred"].to_dict() == pytest.approx(found.gamma_pred.to_dict())
    return found.foresee


def same_again(curves: pd.DataFrame) -> list[PlannedRuns]:
    return [
        PlannedRuns(train_size=int(size.iloc[0]), log_norms=tuple(group["log_norm"]))
        for _, group in curves.groupby("run", sort=False)
        for size in [group["train_size"]]
    ]


def test_the_information_of_runs_at_the_same_norms_is_that_of_the_fit(curves, foresight) -> None:
    planned = same_again(curves)
    found = sum(foresight._for_all_sizes(p.train_size, foresight._of_a_run(p)) for p in planned)
    f = foresight.fit
    point = linearise(f.shape, f.noise, f.theta, np.zeros(len(f.runs.x)))  # no run is displaced beforehand
    known = gaussian(f.shape, point, f.theta, f.variances, f.named).information
    assert found == pytest.approx(known, rel=1e-6, abs=1e-9 * np.abs(known).max())


def test_the_same_study_trained_again_knows_as_much(curves, foresight) -> None:
    now, again = foresight([], False)["gamma_pred"], foresight(same_again(curves), True)["gamma_pred"]
    assert again.stderr == pytest.approx(now.stderr, rel=0.15)
    assert again.high - again.low == pytest.approx(now.high - now.low, rel=0.2)


def test_more_runs_never_add_to_the_error_and_many_of_one_size_leave_what_sizes_have(curves, foresight) -> None:
    norms = tuple(np.linspace(4.0, 12.0, 40))
    errors = [
        foresight([PlannedRuns(train_size=500, log_norms=norms, runs=n)] if n else [], False)["gamma_2"].stderr
        for n in (0, 2, 8, 32, 10**5, 10**6)
    ]
    assert all(a >= b for a, b in pairwise(errors))
    assert errors[-1] == pytest.approx(errors[-2], rel=0.01)
    assert errors[-1] > 0.2 * errors[0]


def test_what_sizes_have_of_their_own_is_a_mean_of_what_is_possible(foresight) -> None:
    for name in ("size_offset", "size_shift"):
        mean = posterior_mean(foresight.few, name)
        assert getattr(foresight.few.variances, name) <= mean < 1.0
