from __future__ import annotations

from dataclasses import replace

import pytest

from normlaw.study.intervention import Intervention
from normlaw.study.spec import RunSpec
from normlaw.training import cost
from normlaw.training.cost import Timing, study_seconds
from normlaw_registry import Catalogue, Dataset

SMALL = {
    "architecture": {"name": "mlp", "params": {"hidden": [8]}},
    "dataset": "digits",
    "train_size": 64,
    "seed": 0,
    "batch_size": 16,
    "steps": 20,
    "measuring_points": 4,
    "measures": ["weight_norm"],
}


@pytest.fixture
def spec(catalogue):
    return lambda **changes: RunSpec.model_validate({**SMALL, **changes}).resolved(catalogue)


def test_a_runs_time_adds_up(spec):
    # steps 0, 1, 3, 7, 20: five measuring points on 64 + 100 examples
    timing = Timing(step=2.0, example=0.01, norms=0.5)
    assert timing.seconds(spec(), test_size=100) == pytest.approx(20 * 2.0 + 5 * (164 * 0.01 + 0.5))


def test_what_an_arm_shares_with_its_trunk_counts_once(spec, catalogue, monkeypatch):
    monkeypatch.setattr(cost, "time_setting", lambda *_: Timing(step=1.0, example=0.0, norms=100.0))
    trunk = spec()
    arms = [
        trunk.as_arm(name, Intervention.model_validate({"start": start, "temperature": 2}))
        for name, start in (("early", {"step": 5}), ("late", {"train_error": 0.1}))
    ]
    # steps 0, 1, 3, 7, 20: the early arm leaves at 7, and has one point behind it
    assert study_seconds([trunk, *arms], catalogue) == (20 + 500) + (13 + 100) + (20 + 500)
    assert study_seconds(arms, catalogue) == 2 * (20 + 500)  # trunks are trained elsewhere


def test_each_setting_is_timed_once(spec, catalogue, monkeypatch):
    timed = []

    def fake(spec, catalogue, info):
        timed.append((spec.train_size, spec.optimizer.name))
        return Timing(step=1.0, example=0.0, norms=0.0)

    monkeypatch.setattr(cost, "time_setting", fake)
    specs = [
        spec(train_size=size, seed=seed, optimizer={"name": name})
        for size in (32, 64)
        for seed in (0, 1)
        for name in ("adam", "sgd")
    ]
    assert study_seconds(specs, catalogue) == 8 * 20
    assert sorted(timed) == [(64, "adam"), (64, "sgd")]


@pytest.mark.parametrize("quick_seconds", [0.0, 10.0])  # a line through two small batches, and a whole batch
def test_a_real_timing_is_positive(spec, catalogue, monkeypatch, quick_seconds):
    monkeypatch.setattr(cost, "QUICK_SECONDS", quick_seconds)
    seconds = study_seconds([spec(architecture="cnn", measures=["spectral_complexity_kernel"])], catalogue)
    assert seconds is not None
    assert 0 < seconds < 600


def test_a_data_set_that_tells_nothing_has_no_estimate(spec, catalogue):
    records = tuple(
        replace(
            record,
            components=tuple(replace(c, info=None) if isinstance(c, Dataset) else c for c in record.components),
        )
        for record in catalogue.records
    )
    assert study_seconds([spec()], Catalogue.of(records)) is None
