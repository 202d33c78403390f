from __future__ import annotations

from pathlib import Path

import pytest

import normlaw
from normlaw.study.expansion import expand
from normlaw.study.home import begun_study, keep_study
from normlaw.study.named import find_study
from normlaw.study.study import Study, at_scale
from normlaw_registry import InputError, load_catalogue

BASE = """\
name: base
norm: weight_norm
fixed:
  architecture: {name: mlp, params: {hidden: [8]}}
  dataset: {name: digits, params: {test_size: 837}}
  optimizer: {name: sgd, learning_rate: 0.1, momentum: 0.5}
  batch_size: 4
  steps: 30
  measures: [weight_norm, frobenius_norm]
vary:
  train_size: [30, 60]
  optimizer.weight_decay: [0.0, 0.1]
  seed: {count: 3}
scales:
  small:
    fixed: {epochs: 2, steps: null}
    vary: {seed: [7]}
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE)
    return tmp_path


def study(folder: Path, text: str, name: str = "mine") -> Study:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return find_study(str(path))


def extended(folder: Path, text: str) -> Study:
    return study(folder, f"extends: base.yaml\nname: mine\n{text}")


def hashes(found: Study) -> list[str]:
    return [spec.spec_hash for spec in expand(found, load_catalogue())]


def test_a_study_that_changes_nothing_has_the_same_runs(folder) -> None:
    assert hashes(extended(folder, "")) == hashes(find_study(str(folder / "base.yaml")))
    shipped = normlaw.load_study({"extends": "quickstart", "name": "mine"})
    assert hashes(shipped) == hashes(find_study("quickstart"))


def test_its_runs_are_those_of_the_file_that_says_all(folder) -> None:
    changed = "fixed:\n  optimizer: {learning_rate: 0.2}\n  epochs: 3\nvary:\n  train_size: [40]\n"
    said = BASE.replace("name: base", "name: said").replace("learning_rate: 0.1", "learning_rate: 0.2")
    said = said.replace("steps: 30", "epochs: 3").replace("[30, 60]", "[40]")
    mine = extended(folder, changed)
    assert hashes(mine) == hashes(study(folder, said, "said"))
    assert list(mine.vary) == ["train_size", "optimizer.weight_decay", "seed"]


def test_what_is_fixed_may_be_varied_and_the_other_way_round(folder) -> None:
    mine = extended(folder, "fixed: {seed: 4, optimizer: {weight_decay: 0.3}}\nvary: {batch_size: [4, 8]}\n")
    specs = expand(mine, load_catalogue())
    assert [(s.train_size, s.batch_size, s.seed, s.optimizer.weight_decay) for s in specs] == [
        (30, 4, 4, 0.3),
        (30, 8, 4, 0.3),
        (60, 4, 4, 0.3),
        (60, 8, 4, 0.3),
    ]


def test_another_component_takes_over_no_parameters(folder) -> None:
    mine = extended(folder, "fixed:\n  architecture: {name: perceptron}\n  dataset: digits\n")
    assert mine.fixed["architecture"] == {"name": "perceptron"}
    assert mine.fixed["dataset"] == "digits"
    same = extended(folder, "fixed:\n  architecture: {params: {hidden: [16]}}\n")
    assert same.fixed["architecture"] == {"name": "mlp", "params": {"hidden": [16]}}
    bare = extended(
        folder, "fixed: {loss: mse, architecture: cnn}\nvary: {architecture.params.hidden: [[3]]}\n"
    )
    assert expand(bare, load_catalogue())[0].architecture.params["hidden"] == [3]


def test_null_takes_a_key_away(folder) -> None:
    mine = extended(folder, "norm: null\nfixed: {optimizer: {momentum: null}, seed: 1}\nvary: {seed: null}\n")
    assert {spec.optimizer.params["momentum"] for spec in expand(mine, load_catalogue())} == {0.0}
    assert mine.norm is None
    with pytest.raises(InputError, match="`seed` stands neither under `fixed` nor under `vary`"):
        extended(folder, "vary: {seed: null}\n")


def test_a_chain_and_its_scales(folder) -> None:
    (folder / "below").mkdir()
    extended(folder, "fixed: {batch_size: 8}\n")
    text = "extends: ../mine.yaml\nname: last\nscales: {small: {vary: {train_size: [50]}}}\n"
    last = at_scale(study(folder / "below", text, "last"), "small")
    assert last.name == "last-small"
    assert [(s.train_size, s.seed, s.batch_size, s.epochs) for s in expand(last, load_catalogue())] == [
        (50, 7, 8, 2),
        (50, 7, 8, 2),
    ]


def test_messages_name_the_file_and_line_that_said_it(folder) -> None:
    (folder / "base.yaml").write_text(BASE.replace("batch_size: 4", "batch_size: 0"))
    with pytest.raises(InputError, match=r"base\.yaml:7: fixed\.batch_size: "):
        hashes(extended(folder, "fixed: {loss: mse}\n"))
    with pytest.raises(InputError, match=r"mine\.yaml:4: fixed\.bach_size: unknown key, did you"):
        hashes(extended(folder, "fixed:\n  bach_size: 2\n"))
    with pytest.raises(InputError, match=r"mine\.yaml:3: vary: train_size: give a non-empty list"):
        extended(folder, "vary: {train_size: 3}\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "extends: bas.yaml\nname: x\n",
            r"mine\.yaml:1: extends: there is no file .*did you mean base",
        ),
        (
            "name: x\nextends: quikstart\n",
            r"mine\.yaml:2: extends: no study 'quikstart' .*mean quickstart",
        ),
        ("extends: base.yaml\n", r"mine\.yaml:1: extends: .* needs a `name` of its own"),
        ("extends: mine.yaml\nname: x\n", r"mine\.yaml:1: extends: goes in a circle: mine.* extends mine"),
        ("extends: [a, b]\nname: x\n", r"mine\.yaml:1: extends: give the name of a shipped study"),
        ("extends:\nname: x\n", r"mine\.yaml:1: extends: give the name of a shipped study"),
        ("extnds: base.yaml\nname: x\n", r"mine\.yaml:1: extnds: unknown key, did you mean extends"),
        ("extends: base.yaml\nname: x\nfixed: 3\n", r"mine\.yaml:3: fixed: .*dictionary"),
    ],
)
def test_what_cannot_be_followed_is_told(folder, text, told) -> None:
    with pytest.raises(InputError, match=told):
        study(folder, text)


def test_a_circle_of_two_is_told(folder) -> None:
    (folder / "a.yaml").write_text("extends: b.yaml\nname: a\n")
    (folder / "b.yaml").write_text("extends: a.yaml\nname: b\n")
    with pytest.raises(InputError, match=r"goes in a circle: a.yaml extends b.yaml extends a.yaml"):
        find_study(str(folder / "a.yaml"))


def test_a_missing_key_is_missed_in_the_study_itself(folder) -> None:
    (folder / "base.yaml").write_text("fixed: {loss: mse}\n")
    with pytest.raises(InputError, match=r"mine\.yaml:1: `train_size` stands neither under"):
        extended(folder, "")


def test_what_is_kept_of_a_begun_study_is_whole(folder) -> None:
    mine = extended(folder, "fixed: {batch_size: 8}\n")
    keep_study(folder / "home", mine)
    (folder / "base.yaml").unlink()
    assert begun_study(folder / "home", "mine") == mine


def test_a_study_made_in_python_extends_by_load_study() -> None:
    with pytest.raises(ValueError, match="load_study"):
        Study.model_validate({"extends": "quickstart", "name": "x", "fixed": {}, "vary": {}})
