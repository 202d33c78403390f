from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normlaw.yaml_source import MAX_BYTES, YamlSource
from normlaw_registry import InputError


def test_places_are_told_by_line() -> None:
    source = YamlSource(
        "name: a\nfixed:\n  optimizer:\n    learning_rate: 1\nvary:\n  seed: [1, 2]\n", "s.yaml"
    )
    assert source.where(("fixed", "optimizer", "learning_rate")) == "s.yaml:4: fixed.optimizer.learning_rate"
    assert source.where(("fixed", "optimizer", "absent")) == "s.yaml:3: fixed.optimizer.absent"
    assert source.where(("vary", "seed", 1)) == "s.yaml:6: vary.seed.1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1", "s.yaml:1: not YAML"),
        ("- a\n- b\n", "a study is a mapping"),
        ("", "a study is a mapping"),
        ("a: 1\nb: 2\na: 3\n", "s.yaml:3: 'a' stands here a second time"),
        ("a: &x [1]\nb: *x\n", "s.yaml:2: not YAML: aliases"),
        ("a: !!python/object/apply:os.system ['true']\n", "not YAML: could not determine a constructor"),
        ("a: \x00\n", "not YAML"),
        ("? [1, 2]\n: 3\n", "not YAML"),
    ],
)
def test_what_is_no_study_is_told(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        YamlSource(text, "s.yaml")
    assert told in str(caught.value)


def test_a_large_or_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"a" * (MAX_BYTES + 1))
    with pytest.raises(InputError, match="larger than"):
        YamlSource.read(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text in UTF-8"):
        YamlSource.read(path)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        source = YamlSource(text, "s.yaml")
    except InputError:
        return
    assert isinstance(source.data, dict)
