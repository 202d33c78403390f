"""NAME=VALUE on a command line: one form for every option."""

from __future__ import annotations

import pytest

from normlaw.study.pairs import pairs, values
from normlaw_registry import InputError


def test_what_follows_the_first_sign_is_the_value() -> None:
    written = pairs([" test/error =1 - a=b", "empty="], "--take", "a=b")
    assert written == {"test/error": "1 - a=b", "empty": ""}


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["seed"], r"--take 'seed': write NAME=OTHER, such as seed=s"),
        (["=s"], r"--take '=s': write NAME=OTHER, such as seed=s"),
        (["two words=s"], r"--take 'two words=s': write NAME=OTHER"),
        (["seed=a", "seed =b"], r"--take: 'seed' is given twice"),
    ],
)
def test_what_is_no_pair_is_refused(texts: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        pairs(texts, "--take", "seed=s", form="NAME=OTHER", is_name=str.isidentifier)


@pytest.mark.parametrize("text", ["[1", "*alias", "!!python/name:os.system", "2026-01-01", "\ud800"])
def test_a_value_that_no_study_file_could_have_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--set 'a=.*: write the value as in a study file: "):
        values({"a": text}, "--set")
