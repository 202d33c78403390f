"""Arms of a study: each makes one more run of every combination, which contains what its trunk is."""

from __future__ import annotations

from typing import Any

import pytest

from normlaw.study.expansion import expand
from normlaw.study.identity import canonical
from normlaw.study.listed import listing, searchable, unlisted
from normlaw.study.study import Study
from normlaw_registry import Catalogue, InputError

ARMS = {"held": {"hold_norm": "weights"}, "warm": {"temperature": 4}}


@pytest.fixture
def study(tiny: dict[str, Any]) -> dict[str, Any]:
    tiny["vary"] = {"train_size": [32, 64], "seed": [0]}
    return {**tiny, "fork": {"step": 10}, "arms": ARMS}


def test_trunks_are_the_runs_of_the_study_without_arms(study: dict[str, Any], catalogue: Catalogue) -> None:
    specs = expand(Study.model_validate(study), catalogue)
    assert [(s.train_size, s.arm) for s in specs] == [
        (size, arm) for size in (32, 64) for arm in ("free", "held", "warm")
    ]
    without = {key: value for key, value in study.items() if key not in ("fork", "arms")}
    trunks = expand(Study.model_validate(without), catalogue)
    assert [s.spec_hash for s in specs[::3]] == [s.spec_hash for s in trunks]
    for spec in specs:
        assert (spec.trunk or spec).spec_hash == specs[3 * (spec.train_size == 64)].spec_hash


def test_an_arm_is_its_trunk_with_what_is_changed_and_when_whatever_it_is_called(
    study: dict[str, Any], catalogue: Catalogue
) -> None:
    free, held, warm, *_ = expand(Study.model_validate(study), catalogue)
    change = {"intervention": {"start": {"step": 10}, "temperature": 4.0}}
    assert canonical(warm) == {**canonical(free), **change}
    renamed = {**study, "arms": {"hot": ARMS["warm"]}}
    assert expand(Study.model_validate(renamed), catalogue)[1].spec_hash == warm.spec_hash
    written_out = {**study, "arms": {}, "fork": None}
    written_out["fixed"] = {**study["fixed"], **change}
    assert expand(Study.model_validate(written_out), catalogue)[0].spec_hash == warm.spec_hash
    assert len({free.spec_hash, held.spec_hash, warm.spec_hash}) == 3
    assert searchable(held)["arm"] == "held"
    assert "arm" not in searchable(free)
    assert unlisted(listing(free))["arm"] == "free"  # so that settings are told apart by it
    assert "arm=held" in Study.model_validate(study).run_name(held)


def test_an_arm_may_leave_the_trunk_elsewhere(study: dict[str, Any], catalogue: Catalogue) -> None:
    study["arms"] = {**ARMS, "late": {"temperature": 4, "start": {"train_error": 0.2}}}
    starts = [spec.intervention.start for spec in expand(Study.model_validate(study), catalogue)[1:4]]
    assert [s.model_dump(exclude_defaults=True) for s in starts if s] == [
        {"step": 10},
        {"step": 10},
        {"train_error": 0.2},
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"fork": None}, "arms: held: say where it leaves the trunk"),
        ({"arms": {}}, "there are none"),
        ({"arms": {"free": {"temperature": 2}}}, "the run in which nothing is changed"),
        ({"arms": {"no good": {"temperature": 2}}}, "lower-case words"),
        ({"arms": {"a": {"temprature": 2}}}, "arms.a.temprature: unknown key, did you mean temperature"),
        ({"arms": {"a": {"temperature": 0}}}, "greater than 0"),
        ({"fork": {"step": 3, "train_error": 0.1}}, "give one of `step`, `train_error` and `log_norm`"),
        ({"fork": {"log_norm": {"l1_norm": 3}}}, "arms.held: `intervention`: 'l1_norm' is not measured"),
        (
            {"arms": {"a": {"hold_norm": {"of": "l1_norm"}}}},
            "arms.a: `intervention`: 'l1_norm' is not measured",
        ),
        ({"arms": {"a": {"hold_norm": {"log_norm": 1, "factor": 2}}}}, "give `log_norm` or `factor`, not both"),
        ({"arms": {"a": {"learning_rate": 1, "learning_rate_factor": 2}}}, "`learning_rate_factor`, not both"),
        ({"arms": {"a": {"init_factor": 2}}}, "`init_factor` is for the initial weights"),
        ({"arms": {"a": {"start": {"step": 3}}}}, "`start` alone changes nothing"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(
    study: dict[str, Any], catalogue: Catalogue, change: dict[str, Any], told: str
) -> None:
    from normlaw.study.study import parse_study
    from normlaw.study.yaml_source import YamlSource

    tree = {key: value for key, value in {**study, **change}.items() if value is not None}
    with pytest.raises(InputError) as caught:
        expand(parse_study(YamlSource.of(tree, "study.yaml")), catalogue)
    assert told in str(caught.value)
    assert str(caught.value).startswith("study.yaml:")


def test_another_rate_from_the_beginning_is_the_optimisers(study: dict[str, Any], catalogue: Catalogue) -> None:
    del study["arms"], study["fork"]
    study["fixed"]["intervention"] = {"learning_rate": 0.1}
    with pytest.raises(InputError, match=r"from the beginning is `optimizer\.learning_rate`; give"):
        expand(Study.model_validate(study), catalogue)
