from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from normlaw.study.expansion import expand
from normlaw.study.listed import searchable
from normlaw.study.named import find_study, shipped_studies
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study, parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import Catalogue, InputError

Tiny = dict[str, Any]


def runs_of(study: Tiny, catalogue: Catalogue) -> list[RunSpec]:
    source = YamlSource(yaml.safe_dump(study, sort_keys=False), "study.yaml")
    return expand(parse_study(source), catalogue)


def test_runs_are_all_combinations_in_the_order_of_the_lists(tiny: Tiny, catalogue: Catalogue) -> None:
    tiny["vary"] = {"train_size": [32, 64], "optimizer.weight_decay": [0.0, 0.1], "seed": {"count": 2}}
    found = [(run.train_size, run.optimizer.weight_decay, run.seed) for run in runs_of(tiny, catalogue)]
    assert found == [(p, w, s) for p in (32, 64) for w in (0.0, 0.1) for s in (0, 1)]


def test_default_parameters_are_written_out(tiny: Tiny, catalogue: Catalogue) -> None:
    short = runs_of(tiny, catalogue)[0]
    tiny["fixed"]["architecture"]["params"].update(short.architecture.params)
    assert runs_of(tiny, catalogue)[0].spec_hash == short.spec_hash
    assert set(short.architecture.params) > {"channels", "hidden"}


def test_a_preset_gives_the_parameters_that_params_does_not(tiny: Tiny, catalogue: Catalogue) -> None:
    tiny["fixed"]["architecture"] = {"name": "cnn", "preset": "cifar10", "params": {"hidden": [7]}}
    params = runs_of(tiny, catalogue)[0].architecture.params
    assert params["hidden"] == [7]
    assert params["channels"] == [32, 64, 128]


@pytest.mark.parametrize(
    "change",
    [
        lambda fixed: fixed.update(batch_size=31),
        lambda fixed: fixed.update(steps=61),
        lambda fixed: fixed["optimizer"].update(learning_rate=3.0000000000000005e-3),
        lambda fixed: fixed["architecture"]["params"].update(hidden=[17]),
        lambda fixed: fixed.update(measuring_points=13),
        lambda fixed: fixed.update(stop={"log_norm": {"weight_norm": 9.0}}),
    ],
)
def test_any_change_of_a_run_changes_its_hash(
    tiny: Tiny, catalogue: Catalogue, change: Callable[[Tiny], None]
) -> None:
    before = {run.spec_hash for run in runs_of(tiny, catalogue)}
    change(tiny["fixed"])
    assert before.isdisjoint(run.spec_hash for run in runs_of(tiny, catalogue))


def test_the_hash_survives_a_round_trip_and_ignores_the_order_of_keys(tiny: Tiny, catalogue: Catalogue) -> None:
    run = runs_of(tiny, catalogue)[0]
    tree = json.loads(run.model_dump_json())
    backwards = dict(reversed(tree.items()))
    assert RunSpec.model_validate(backwards).spec_hash == run.spec_hash


def test_a_study_reads_back_from_its_own_yaml(tiny: Tiny) -> None:
    study = Study.model_validate(tiny)
    assert parse_study(YamlSource(study.to_yaml(), "again")) == study


def test_searchable_parameters_are_flat(tiny: Tiny, catalogue: Catalogue) -> None:
    found = searchable(runs_of(tiny, catalogue)[0])
    assert found["architecture"] == "cnn"
    assert found["dataset"] == "digits"
    assert found["architecture.hidden"] == [16]
    assert found["optimizer.learning_rate"] == 3e-3
    assert found["measures"] == "spectral_complexity_kernel,weight_norm"
    assert not any(isinstance(value, dict) for value in found.values())


def test_the_length_in_epochs_counts_the_last_small_batch(tiny: Tiny, catalogue: Catalogue) -> None:
    del tiny["fixed"]["steps"]
    tiny["fixed"]["epochs"] = 10
    tiny["vary"]["train_size"] = [65]
    assert runs_of(tiny, catalogue)[0].total_steps == 30  # 32 + 32 + 1 examples


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s["fixed"].update(architecture="cmn"), "unknown architecture 'cmn': did you mean cnn?"),
        (lambda s: s["fixed"]["architecture"].update(preset="cifar11"), "did you mean cifar10"),
        (lambda s: s["fixed"]["architecture"]["params"].update(chanels=[4]), "did you mean channels?"),
        (lambda s: s["fixed"].update(bach_size=3), "unknown key, did you mean batch_size"),
        (lambda s: s["fixed"]["optimizer"].update(lerning_rate=3), "did you mean learning_rate?"),
        (lambda s: s["fixed"]["optimizer"].update(learning_rate=-1.0), "greater than 0, got -1.0"),
        (lambda s: s["fixed"]["optimizer"].update(momentum=0.9), "momentum: unknown key"),
        (lambda s: s["fixed"].update(epochs=3), "either as `epochs` or as `steps`"),
        (lambda s: s["fixed"].update(measures=["weight_norm", "weight_norm"]), "named twice: weight_norm"),
        (lambda s: s["vary"].update(train_size=[]), "train_size: give a non-empty list"),
        (lambda s: s["vary"].update(train_size=[8, 8]), "a value stands twice"),
        (lambda s: s["vary"].update(train_size=[0]), "greater than 0, got 0"),
        (lambda s: s["vary"].update(batch_size=[8]), "stands under `fixed` too"),
        (lambda s: s["vary"].pop("seed"), "`seed` stands neither"),
        (lambda s: s.update(vari={}), "unknown key, did you mean vary"),
        (lambda s: s.update(norm="weight_nrm"), "did you mean weight_norm?"),
        (lambda s: s["fixed"]["optimizer"].update(learning_rate=float("nan")), "finite number"),
        (
            lambda s: s["vary"].update(seed=[99999999999999999999999]),
            "or equal to 9223372036854775807",
        ),
        (lambda s: s["fixed"].update(steps=10**16), "less than or equal to"),
        (
            lambda s: (
                s["fixed"].update(steps=None, epochs=10**9, batch_size=1),
                s["vary"].update(train_size=[10**12]),
            ),
            "at most",
        ),
        (
            lambda s: s["fixed"].update(learning_rate_schedule={"name": "cosine", "warmup_steps": 10**30}),
            "equal",
        ),
        (lambda s: s["fixed"].update(validation={"source": "held_out", "size": 10**30}), "equal"),
        (lambda s: s["fixed"].update(steps=True), "fixed.steps: true is no number"),
        (lambda s: s["vary"].update(seed=[0, True]), "true is no number"),
        (lambda s: s["fixed"]["optimizer"].update(weight_decay=False), "false is no number"),
        (lambda s: s["fixed"].update(stop={"log_norm": {"weight_norm": True}}), "true is no number"),
        (lambda s: s["fixed"]["architecture"]["params"].update(hidden=[True]), "hidden: true is no number"),
        (
            lambda s: s["fixed"]["architecture"]["params"].update(hidden=[1] * 2001),
            "has 6003 characters",
        ),
    ],
)
def test_bad_input_is_told_with_its_place(
    tiny: Tiny, catalogue: Catalogue, change: Callable[[Tiny], None], told: str
) -> None:
    change(tiny)
    with pytest.raises(InputError) as caught:
        runs_of(tiny, catalogue)
    assert told in str(caught.value)
    assert str(caught.value).startswith("study.yaml:")


def test_the_line_of_a_wrong_value_is_told(tiny: Tiny, catalogue: Catalogue) -> None:
    tiny["fixed"]["optimizer"]["learning_rate"] = -1
    text = yaml.safe_dump(tiny, sort_keys=False)
    line = 1 + next(i for i, content in enumerate(text.splitlines()) if "learning_rate" in content)
    with pytest.raises(InputError, match=f"^study.yaml:{line}: fixed.optimizer.learning_rate: "):
        runs_of(tiny, catalogue)


def test_an_unknown_study_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean quickstart"):
        find_study("quikstart")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent.yaml: cannot be read: No such file"):
        find_study(str(tmp_path / "absent.yaml"))


def test_every_shipped_study_has_the_name_that_it_is_found_by() -> None:
    assert [find_study(name).name for name in shipped_studies()] == [*shipped_studies()]
