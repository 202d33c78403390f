"""Runs that are made of shared parts are those that are made one by one, to the hash."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from normlaw.study.expansion import expand, planned_runs
from normlaw.study.identity import canonical, hash_of
from normlaw.study.intervention import FREE
from normlaw.study.named import find_study, shipped_studies
from normlaw.study.shared_parts import SharedParts
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study, at_scale, parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import Catalogue, InputError

Choice = tuple[int, ...]
MANY = 50


def choices_of(study: Study) -> list[Choice]:
    """Return the number of the value in each list, for every run of a study."""
    return list(product(*(range(len(values)) for values in study.vary.values())))


def some(choices: list[Choice]) -> list[Choice]:
    """Return all choices if they are few, else as many by lot and some in which each value occurs."""
    if len(choices) <= MANY:
        return choices
    lengths = [last + 1 for last in choices[-1]]
    each = [tuple([number % length for length in lengths]) for number in range(max(lengths))]
    return list(dict.fromkeys([*each, *random.Random(0).sample(choices, MANY)]))


def one_by_one(study: Study, catalogue: Catalogue, choices: list[Choice]) -> dict[str, RunSpec]:
    """Return a study's runs, each validated and resolved as a whole, by the hash of its canonical form."""
    parts = SharedParts(study, catalogue)
    runs = [RunSpec.model_validate(parts.written(choice)).resolved(catalogue) for choice in choices]
    return {hash_of(canonical(run)): run for run in runs}


def study_of(more: Mapping[str, Any] | None = None, **vary: Any) -> Study:
    fixed = {
        "architecture": {"name": "cnn", "params": {"hidden": [4]}},
        "dataset": "digits",
        "optimizer": {"name": "sgd"},
        "batch_size": 16,
        "train_size": 32,
        "measuring_points": 8,
        "measures": ["weight_norm", "spectral_complexity_kernel"],
        **(more or {}),
    }
    lists = {key.replace("__", "."): values for key, values in vary.items()}
    return parse_study(YamlSource.of({"name": "many", "fixed": fixed, "vary": lists}, "many.yaml"))


SEVERAL = study_of(
    seed=[0, 3, 2**63 - 1],
    steps=[40, 128],
    architecture__params__channels=[[2], [3, 4]],
    optimizer__momentum=[0.0, 0.5],
    optimizer__learning_rate=[1e-3, 0.1, 1],
    stop=[{}, {"log_norm": {"weight_norm": 3}}],
    label_noise=[0, 1e-17, 0.25],
    loss=["cross_entropy", "mse"],
    compute=[{}, {"precision": "bfloat16"}],
)


@pytest.mark.parametrize(
    "study",
    [pytest.param(SEVERAL, marks=pytest.mark.slow), *(find_study(name) for name in shipped_studies())],
    ids=["several", *shipped_studies()],
)
def test_shared_parts_change_no_run(study: Study, catalogue: Catalogue) -> None:
    for each in (study, *(at_scale(study, scale) for scale in study.scales)):
        found = {h: planned.spec for h, planned in planned_runs(each, catalogue).items()}
        free, every = {h: spec for h, spec in found.items() if spec.arm == FREE}, choices_of(each)
        chosen = every if study is SEVERAL else some(every)
        alone = one_by_one(each, catalogue, chosen)
        assert {h: free[h] for h in alone if h in free} == alone
        assert len(alone) == len(chosen) > 0
        assert len(free) == len(every)
        assert all(spec.spec_hash == spec_hash for spec_hash, spec in found.items())


def test_a_copy_with_another_value_has_another_hash(catalogue: Catalogue) -> None:
    run = expand(SEVERAL, catalogue)[0]
    other = run.model_copy(update={"seed": 7})
    assert other.spec_hash == hash_of(canonical(other)) != run.spec_hash


def test_components_are_looked_up_once_and_not_once_a_run(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []
    get = Catalogue.get

    def counting(self: Catalogue, kind: Any, name: str) -> Any:
        looked_up.append(name)
        return get(self, kind, name)

    monkeypatch.setattr(Catalogue, "get", counting)
    asked = []
    for runs in (10, 1000):
        study = study_of(seed={"count": runs}, steps=[10, 20])
        looked_up.clear()
        assert len(expand(study, catalogue)) == 2 * runs
        asked.append(len(looked_up))
    assert asked[1] <= asked[0] < 20, asked


@pytest.mark.parametrize(
    "fixed",
    [
        {"dataset": "x" * 100_000},
        {"architecture": {"name": "cnn", "params": {f"key_{n}": n for n in range(5000)}}},
        {"measures": [f"no_measure_{n}" for n in range(1000)]},
        {f"key_{n}": n for n in range(5000)},
    ],
)
def test_a_long_study_is_refused_in_a_short_message(fixed: dict[str, Any], catalogue: Catalogue) -> None:
    study = study_of({"steps": 9, **fixed}, seed=[0])
    with pytest.raises(InputError) as caught:
        expand(study, catalogue)
    assert len(str(caught.value)) < 3000
