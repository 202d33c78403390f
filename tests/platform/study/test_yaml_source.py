from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normlaw.study.yaml_source import MAX_BYTES, YamlSource
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
        ("? [1, 2]\n: 3\n", "s.yaml:1: not YAML: a key is a word"),
        ("a: 1\nb: 2\n? x\n: &y {*y : 1}\n", "s.yaml:4: not YAML: aliases"),
        ("a:\n  b: " + "9" * 5000, "s.yaml:2: not YAML: a number of more than 100 characters: '9999"),
        ("a: 0x" + "f" * 5000, "s.yaml:1: not YAML: a number of more than 100 characters"),
        ("a: " + "1:" * 400 + "1.5", "a number of more than 100 characters"),
        ("a: " + "[" * 200 + "]" * 200, "s.yaml:1: not YAML: more than 100 lists and mappings"),
        ("a: " + "[" * 200_000, "s.yaml:1: not YAML"),
        ("a: 1\nb: 9999-99-99\n", "s.yaml:2: not YAML: '9999-99-99' is a date"),
        ("a: 2001-01-01\n", "put it in quotes where text is meant"),
        ("a: !!int ''\n", "s.yaml:1: not YAML: '' is no int"),
        ("a: !!int x\n", "'x' is no int"),
        ("a: !!bool maybe\n", "'maybe' is no bool"),
        ("a: !!float [1]\n", "s.yaml:1: not YAML"),
        ("a: !!timestamp x\n", "s.yaml:1: not YAML"),
        ("a: !!binary gA==\n", "constructor for the tag 'tag:yaml.org,2002:binary'"),
        ("a: !!set {b, c}\n", "constructor for the tag"),
        ("a: !!omap [b: 1]\n", "constructor for the tag"),
        ("!!str {a: b}\n", "not YAML"),
        ("b: 1\na: \ud800\n", "s.yaml:2: not a text in UTF-8"),
        ('a: "\\ud800"\n', "s.yaml:1: not YAML"),
        ("<<: 3\n", "not YAML"),
        ("#" * (MAX_BYTES + 1), "larger than"),
    ],
)
def test_what_is_no_study_is_told(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        YamlSource(text, "s.yaml")
    assert told in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_large_or_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"a" * (MAX_BYTES + 1))
    with pytest.raises(InputError, match="larger than"):
        YamlSource.read(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text in UTF-8"):
        YamlSource.read(path)
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        YamlSource.read(tmp_path)
    with pytest.raises(InputError, match="larger than"):
        YamlSource.read(Path("/dev/zero"))


def test_a_pipe_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("a: 1\n",))
    writer.start()
    assert YamlSource.read(pipe).data == {"a": 1}
    writer.join()


def test_what_stands_twice_in_a_mapping_is_no_alias() -> None:
    shared = [1, 2]
    assert YamlSource.of({"a": shared, "b": shared}, "s").data == {"a": [1, 2], "b": [1, 2]}
    shared.append(shared)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="cannot be written as YAML"):
        YamlSource.of({"a": shared}, "s")
    with pytest.raises(InputError, match="cannot be written as YAML"):
        YamlSource.of({"a": object()}, "s")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        source = YamlSource(text, "s.yaml")
    except InputError:
        return
    assert isinstance(source.data, dict)


def test_what_is_laid_over_another_tells_its_own_line() -> None:
    base = "fixed:\n  a: 1\n  b: {c: 2}\nvary:\n  s: [1, 2]\n"
    over_it = "scales:\n  small:\n    fixed:\n      b:\n        d: 3\n    vary:\n      s: [1]\n"
    source = YamlSource(base + over_it, "s.yaml")
    over = source.overlaid(("scales", "small"), replaced=("vary",))
    assert over.data["fixed"] == {"a": 1, "b": {"c": 2, "d": 3}}
    assert over.data["vary"] == {"s": [1]}
    told = {
        path: over.where(path.split(".")) for path in ("fixed.a", "fixed.b.c", "fixed.b.d", "fixed.b", "no")
    }
    assert told == {
        "fixed.a": "s.yaml:2: fixed.a",
        "fixed.b.c": "s.yaml:3: fixed.b.c",
        "fixed.b.d": "s.yaml:10: fixed.b.d",
        "fixed.b": "s.yaml:9: fixed.b",
        "no": "s.yaml:1: no",
    }
    assert over.where(("vary", "s", 0)) == "s.yaml:12: vary.s.0"
    assert over.where(("vary", "s", 1)) == "s.yaml:12: vary.s.1"
