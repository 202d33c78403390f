"""What a notebook completes: every option of a function stands in its signature, with its default."""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, fields
from inspect import Parameter
from pathlib import Path

import pytest

import normlaw
from normlaw.analysis import Options
from normlaw.launching.launch import launch

FUNCTIONS = [name for name in normlaw.__all__ if inspect.isfunction(getattr(normlaw, name))]
ONLY_IN_AN_ANALYSIS = {"hold_out", "predict_at", "compare_norms", "fitters", "collapse", "collapse_over"}


def options_of(name: str) -> dict[str, Parameter]:
    return dict(inspect.signature(getattr(normlaw, name)).parameters)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_option_is_hidden(name) -> None:
    assert Parameter.VAR_KEYWORD not in {option.kind for option in options_of(name).values()}


@pytest.mark.parametrize(
    ("name", "left_out"),
    [("fit", set()), ("analyse", set()), ("predict", ONLY_IN_AN_ANALYSIS), ("plan", ONLY_IN_AN_ANALYSIS)],
)
def test_every_choice_of_an_analysis_is_an_option(name, left_out) -> None:
    options = options_of(name)
    for choice in fields(Options):
        if choice.name in left_out:
            continue
        default = choice.default if choice.default is not MISSING else None
        assert options[choice.name].default == default, choice.name


@pytest.mark.parametrize("name", ["run", "resume"])
def test_every_option_of_a_launch_is_an_option(name) -> None:
    options = options_of(name)
    for option in inspect.signature(launch).parameters.values():
        if option.kind is Parameter.KEYWORD_ONLY:
            assert options[option.name].default in (option.default, None), option.name


def test_options_reach_what_they_are_options_of() -> None:
    with pytest.raises(normlaw.InputError, match="confidence must lie in"):
        normlaw.fit("nowhere.csv", confidence=3)
    with pytest.raises(normlaw.InputError, match="from_norm must be a positive number"):
        normlaw.predict("nowhere", 10, from_norm=-1)
    with pytest.raises(normlaw.InputError, match="max_parallel must be 1 at least, got 0"):
        normlaw.run("quickstart", max_parallel=0)


def test_every_name_is_documented_as_users_type_it() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "api.md").read_text()
    for name in normlaw.__all__:
        assert re.search(rf"\bnormlaw\.{name}\b", page), name
    assert "normlaw.verbs" not in page
