from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

import normlaw
from normlaw.cli.program import main
from normlaw.study.expansion import expand
from normlaw.study.overrides import parse_overrides
from normlaw.study.study import Study
from normlaw.verbs.load_study import loaded
from normlaw_registry import InputError, load_catalogue

TOLD = "error: --set stps: unknown key 'stps', did you mean steps or stop or loss?\n"


def changed(tiny: dict[str, Any], *settings: str) -> Study:
    return normlaw.load_study(tiny, overrides=parse_overrides(settings, "--set"))


def test_a_setting_goes_where_the_study_has_its_key(tiny) -> None:
    study = changed(tiny, "optimizer.learning_rate=0.5", "seed=3", "train_size=[16, 32]", "vary.batch_size=[8]")
    assert study.fixed["optimizer"] == {"name": "adam", "learning_rate": 0.5}
    assert study.fixed["seed"] == 3
    assert study.vary == {"train_size": (16, 32), "batch_size": (8,)}
    assert "batch_size" not in study.fixed
    assert study.name == "tiny"


def test_runs_are_those_of_a_file_with_the_same_settings(tiny) -> None:
    written = {**tiny, "fixed": {**tiny["fixed"], "batch_size": 7, "epochs": 2}}
    del written["fixed"]["steps"]
    set_so, said_so = changed(tiny, "batch_size=7", "epochs=2"), normlaw.load_study(written)
    assert [run.spec_hash for run in expand(set_so, load_catalogue())] == [
        run.spec_hash for run in expand(said_so, load_catalogue())
    ]


def test_keys_of_the_study_itself(tiny) -> None:
    study = changed(tiny, "name=other", "analysis.response=test_loss", "norm=weight_norm", "description=null")
    assert (study.name, study.norm, study.description) == ("other", "weight_norm", "")
    assert study.analysis.response == "test_loss"
    assert len(changed(tiny, "vary.seed={count: 5}").vary["seed"]) == 5
    assert len(changed(tiny, "seed={count: 5}").vary["seed"]) == 5


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (
            "optimzer.momentum=0.9",
            r"--set optimzer\.momentum: unknown key 'optimzer', did you mean optimizer",
        ),
        ("fixed.bach_size=9", r"--set: fixed\.bach_size: unknown key, did you mean batch_size or"),
        (
            "optimizer.learning_rat=9",
            r"--set: fixed\.optimizer\.learning_rat: unknown key, did you",
        ),
        ("batch_size=-1", r"--set: fixed\.batch_size: .*greater than 0, got -1"),
        ("scales.x=1", r"--set scales\.x: unknown key 'scales'"),
        ("train_size=[]", r"--set: vary: train_size: give a non-empty list"),
        ("name=a b", r"--set: name: 'a b' cannot be the name of a study"),
    ],
)
def test_a_wrong_setting_is_told_as_such(tiny, setting, told) -> None:
    def runs() -> None:
        expand(loaded(tiny, None, parse_overrides([setting], "--set"), "--set"), load_catalogue())

    with pytest.raises(InputError, match=told):
        runs()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["steps"], "write KEY=VALUE, such as"),
        (["=3"], "write KEY=VALUE, such as"),
        (["a..b=3"], "write KEY=VALUE, such as"),
        (["steps=3", "steps=4"], "'steps' is given twice"),
        (["steps=[1"], "write the value as in a study file"),
        (["steps=&a [*a]"], "aliases .* are not allowed"),
        (["steps=2020-01-01"], "is a date to YAML"),
    ],
)
def test_what_is_no_setting_is_refused(settings, told) -> None:
    with pytest.raises(InputError, match=told):
        parse_overrides(settings, "--set")


def test_two_settings_of_one_key_are_refused(tiny) -> None:
    with pytest.raises(InputError, match="`architecture` is set as a whole too"):
        normlaw.load_study(tiny, overrides={"architecture": [1], "architecture.params.hidden": [2]})
    with pytest.raises(InputError, match="`optimizer` is set in another way too"):
        normlaw.load_study(tiny, overrides={"optimizer.momentum": 0.1, "optimizer": {"name": "sgd"}})
    study = normlaw.load_study(tiny, overrides={"dataset.params.test_size": 500, "dataset": "digits"})
    assert study.fixed["dataset"] == {"name": "digits", "params": {"test_size": 500}}


def test_the_command_line_shows_what_a_study_comes_to(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("extends: quickstart\nname: mine\n")
    shown = CliRunner().invoke(main, ["studies", "mine.yaml", "--show", "--set", "steps=7"])
    assert shown.exit_code == 0, shown.output
    (tmp_path / "whole.yaml").write_text(shown.stdout)
    whole = normlaw.load_study("whole.yaml")
    assert whole == normlaw.load_study("mine.yaml", overrides={"steps": 7})
    for wrong in (["studies", "--show"], ["studies", "quickstart", "--set", "steps=7"]):
        assert CliRunner().invoke(main, wrong).exit_code == 2
    told = CliRunner().invoke(main, ["run", "mine.yaml", "--set", "stps=7"])
    assert (told.exit_code, told.stderr) == (2, TOLD)
