"""What a run is stays the same hash for ever, whatever is added to specifications and components."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import Field, create_model

from normlaw.launching.plan import make_plan
from normlaw.study import identity, listed
from normlaw.study.expansion import expand
from normlaw.study.identity import NewerSchemaError, canonical, hash_of, lacking
from normlaw.study.run_options import Stopping
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking.journal import Journal
from normlaw.tracking.record import journal_status, read_journal
from normlaw.training.checkpoints import Checkpoints
from normlaw_registry import Architecture, Catalogue, InputError, Params

GOLDEN = [
    pytest.param(entry, id=f"{group['study']}-{group['scale']}-{number}")
    for group in json.loads(Path(__file__).with_name("golden").joinpath("specifications.json").read_text())
    for number, entry in enumerate(group["specs"])
]


@pytest.mark.parametrize("entry", GOLDEN)
def test_specifications_keep_their_hashes_for_ever(entry: dict[str, Any]) -> None:
    """A change here makes every finished run unknown: give a new option a default, and never change one."""
    assert hash_of(entry["spec"]) == entry["hash_1"]
    assert RunSpec.model_validate(entry["spec"]).spec_hash == entry["hash_2"]


@pytest.fixture
def specs(tiny: dict[str, Any], catalogue: Catalogue) -> list[RunSpec]:
    tiny["vary"] = {"train_size": [32], "seed": [0, 1]}
    return expand(Study.model_validate(tiny), catalogue)


def test_what_is_at_default_is_left_out(specs: list[RunSpec]) -> None:
    assert canonical(specs[0]) == {
        "schema": 2,
        "architecture": {"name": "cnn", "params": {"channels": [4, 8], "hidden": [16]}},
        "dataset": {"name": "digits", "params": {}},
        "optimizer": {"learning_rate": 0.003},
        "train_size": 32,
        "seed": 0,
        "batch_size": 32,
        "steps": 60,
        "measuring_points": 12,
    }


def test_a_new_option_with_a_default_changes_no_run(specs: list[RunSpec]) -> None:
    newer = create_model("RunSpec", __base__=RunSpec, brand_new=(float | None, 0.5))
    tree = specs[0].model_dump(mode="json")
    assert newer.model_validate(tree).spec_hash == specs[0].spec_hash
    assert newer.model_validate(tree | {"brand_new": None}).spec_hash != specs[0].spec_hash


class Before(Params):
    width: int = 4
    names: tuple[str, ...] = Field(default_factory=lambda: ("a",))


class Grown(Before):
    depth: int = 1


class Changed(Before):
    width: int = 8


class Declared(Changed):
    identity_defaults: ClassVar[dict[str, Any]] = {"width": 4}


@pytest.fixture
def with_params(monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue) -> Iterator[Any]:
    """Return a function that gives the architecture `mlp` other parameters, as another version of it would."""
    component = catalogue.get(Architecture, "mlp")

    def give(model: type[Params]) -> None:
        object.__setattr__(component, "params", model)
        for cached in (identity._not_at_default, listed._of):
            cached.cache_clear()

    before = component.params
    yield give
    give(before)


def run_of(**params: Any) -> RunSpec:
    tree = {"architecture": {"name": "mlp", "params": params}, "dataset": "digits", "train_size": 8, "seed": 0}
    return RunSpec.model_validate({**tree, "steps": 3, "measures": ["weight_norm"]})


def test_a_component_may_get_parameters_and_declare_a_changed_default(with_params: Any) -> None:
    with_params(Before)
    plain, wide, named = (run_of(**p).spec_hash for p in ({}, {"width": 8}, {"names": ["a"]}))
    assert plain == named != wide
    with_params(Grown)
    assert (run_of().spec_hash, run_of(depth=1).spec_hash) == (plain, plain)
    assert run_of(depth=2).spec_hash != plain
    with_params(Declared)
    assert (run_of().spec_hash, run_of(width=4).spec_hash) == (wide, plain)


def test_a_default_changed_in_silence_is_told_before_anything_is_trained(
    with_params: Any, catalogue: Catalogue, tmp_path: Path
) -> None:
    study = Study.model_validate(
        {
            "name": "s",
            "fixed": {"architecture": "mlp", "dataset": "digits", "steps": 3, "measures": ["weight_norm"]},
            "vary": {"train_size": [8], "seed": [0]},
        }
    )
    with_params(Before)
    [spec] = expand(study, catalogue)
    spec_hash = spec.spec_hash
    path = tmp_path / "journal" / "s" / f"{spec_hash}.jsonl"
    with Journal(path) as journal:
        journal.start(spec, {})
        journal.end("finished")
    with_params(Changed)
    [now] = expand(study, catalogue)
    assert now.spec_hash == spec_hash
    with pytest.raises(InputError, match="width` was 4 when it was trained, is 8 now: a default has"):
        make_plan(study, {now.spec_hash: now}, catalogue, tmp_path, {})


def test_measures_are_no_part_of_a_run_but_those_that_may_stop_it(specs: list[RunSpec]) -> None:
    def measuring(*measures: Any, **stop: float) -> str:
        tree = specs[0].model_dump(mode="json") | {"measures": measures, "stop": {"log_norm": stop}}
        return RunSpec.model_validate(tree).spec_hash

    moved = {"name": "spectral_complexity", "params": {"reference": "initial"}}
    assert measuring("weight_norm") == measuring("l1_norm", moved) == specs[0].spec_hash
    limit = {"spectral_complexity": 3.0}
    assert measuring(moved, **limit) != measuring("spectral_complexity", **limit)
    assert measuring(moved, "l1_norm", **limit) == measuring(moved, **limit)
    assert Stopping(log_norm={"l1_norm": 3.0}) != Stopping()


def test_a_study_that_varies_its_measures_has_runs_that_take_them_all(
    tiny: dict[str, Any], catalogue: Catalogue
) -> None:
    del tiny["fixed"]["measures"], tiny["norm"]
    tiny["norm"] = "weight_norm"
    tiny["vary"] = {"train_size": [32], "seed": [0], "measures": [["weight_norm"], ["l1_norm", "weight_norm"]]}
    [spec] = expand(Study.model_validate(tiny), catalogue)
    assert [measure.name for measure in spec.measures] == ["weight_norm", "l1_norm"]
    moved = {"name": "spectral_complexity", "params": {"reference": "initial"}}
    tiny["vary"]["measures"] = [["weight_norm", "spectral_complexity"], ["weight_norm", moved]]
    with pytest.raises(InputError, match="asked for with several parameters in one run"):
        expand(Study.model_validate(tiny), catalogue)


def test_what_lacks() -> None:
    assert lacking({"a": {}, "b": {"p": 1}}, {"a": {}, "b": {"p": 2}, "c": {}}) == ["b"]


def test_a_journal_of_a_newer_schema_is_told_and_left(
    specs: list[RunSpec], tiny: dict[str, Any], catalogue: Catalogue, tmp_path: Path
) -> None:
    study = Study.model_validate(tiny)
    path = tmp_path / "journal" / "tiny" / f"{specs[0].spec_hash}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text('{"kind": "start", "schema": 3, "what": "nobody knows yet"}\n{"kind": "news"}\n')
    before = path.read_bytes()
    told = "was written by a newer normlaw .schema 3; this one knows 2.: upgrade"
    for reading in (read_journal, journal_status):
        with pytest.raises(NewerSchemaError, match=f"^{path}: {told}"):
            reading(path)
    with pytest.raises(NewerSchemaError, match=told):
        make_plan(study, {spec.spec_hash: spec for spec in specs}, catalogue, tmp_path, {})
    assert path.read_bytes() == before


def test_a_checkpoint_of_a_newer_schema_is_told_and_left(
    specs: list[RunSpec], tiny: dict[str, Any], catalogue: Catalogue, tmp_path: Path
) -> None:
    folder = tmp_path / "checkpoints" / "tiny" / specs[0].spec_hash
    folder.mkdir(parents=True)
    path = folder / "000000000005.ckpt"
    path.write_bytes(b"normlaw checkpoint 3\n" + bytes(99))
    with pytest.raises(NewerSchemaError, match="ckpt: was written by a newer normlaw"):
        Checkpoints(folder, "any").require_known()
    with pytest.raises(NewerSchemaError, match="upgrade normlaw here"):
        make_plan(Study.model_validate(tiny), {s.spec_hash: s for s in specs}, catalogue, tmp_path, {})
    assert path.read_bytes() == b"normlaw checkpoint 3\n" + bytes(99)
