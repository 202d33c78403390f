"""Whatever one writes: it is read back as it was, or refused by an InputError or JournalError; nothing else."""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from normlaw.analysis.curves_file import read_curves_file, read_table
from normlaw.base.redaction import printable, redacted
from normlaw.study.expansion import expand
from normlaw.study.identity import canonical, hash_of
from normlaw.study.named import shipped_studies
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study, parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw.tracking.journal import Journal
from normlaw.tracking.record import JournalError, Record, read_journal
from normlaw.verbs.import_curves import wide
from normlaw_registry import InputError, load_catalogue

CATALOGUE = load_catalogue()
quick = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

finite = st.floats(allow_nan=False, allow_infinity=False)
names = st.text("abcdefgh/_", min_size=1, max_size=12).filter(lambda name: name != "step")

specs = st.fixed_dictionaries(
    {
        "architecture": st.fixed_dictionaries(
            {
                "name": st.just("cnn"),
                "params": st.fixed_dictionaries({"channels": st.lists(st.integers(1, 9), min_size=1)}),
            }
        ),
        "dataset": st.just("digits"),
        "train_size": st.integers(1, 1437),
        "seed": st.integers(0, 2**40),
        "batch_size": st.integers(1, 999),
        "steps": st.integers(1, 10**9),
        "label_noise": st.floats(0, 0.99),
        "optimizer": st.fixed_dictionaries({"name": st.just("sgd"), "learning_rate": st.floats(1e-300, 1e300)}),
        "measures": st.just(["weight_norm"]),
    }
)


@quick
@given(specs)
def test_a_specification_read_back_from_json_is_the_same_run(tree: dict[str, Any]) -> None:
    spec = RunSpec.model_validate(tree).resolved(CATALOGUE)
    again = RunSpec.model_validate(json.loads(json.dumps(spec.model_dump(mode="json"))))
    assert again == spec
    assert again.spec_hash == spec.spec_hash == hash_of(canonical(spec))
    assert again.resolved(CATALOGUE).spec_hash == spec.spec_hash  # resolving twice changes nothing


@quick
@given(specs, specs)
def test_two_specifications_share_a_hash_only_if_they_are_equal(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    first, second = (RunSpec.model_validate(tree).resolved(CATALOGUE) for tree in (one, two))
    assert (first.spec_hash == second.spec_hash) == (first == second)


@quick
@given(specs, st.randoms())
def test_a_hash_does_not_depend_on_the_order_of_keys(tree: dict[str, Any], draw: random.Random) -> None:
    shuffled = list(tree.items())
    draw.shuffle(shuffled)
    assert RunSpec.model_validate(dict(shuffled)).spec_hash == RunSpec.model_validate(tree).spec_hash


@quick
@given(specs)
def test_a_study_written_out_expands_to_the_same_runs(tree: dict[str, Any]) -> None:
    seed = tree.pop("seed")
    study = Study.model_validate({"name": "s", "fixed": tree, "vary": {"seed": [seed, seed + 1]}})
    again = parse_study(YamlSource(study.to_yaml(), "again"))
    assert [s.spec_hash for s in expand(again, CATALOGUE)] == [s.spec_hash for s in expand(study, CATALOGUE)]


@settings(quick, max_examples=20)
@given(
    st.lists(st.dictionaries(names, finite, max_size=4), max_size=6),
    st.sampled_from(["finished", "failed", None]),
)
def test_a_journal_is_read_back_to_the_last_bit_whole_or_cut(points: list[dict[str, float]], end: Any) -> None:
    spec = RunSpec.model_validate(
        {
            "architecture": "cnn",
            "dataset": "digits",
            "train_size": 1,
            "seed": 0,
            "steps": 1,
            "measures": ["weight_norm"],
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "j.jsonl")
        with Journal(path) as journal:
            journal.start(spec, {"python": "3"})
            for step, point in enumerate(points):
                journal.point({"step": float(step), **point})
            if end is not None:
                journal.end(end, "why" if end == "failed" else "")
        record = read_journal(path)
        assert record is not None
        written = [{"step": float(step), **point} for step, point in enumerate(points)]
        assert [list(map(repr, p.items())) for p in record.points] == [
            list(map(repr, p.items())) for p in written
        ]
        assert record.status == end
        whole = path.read_bytes()
        last = whole[:-1].rfind(b"\n") + 1
        for cut in reversed(range(last, len(whole) - 1)):  # every byte of the last record
            os.truncate(path, cut)
            short = read_journal(path)
            if last == 0:
                assert short is None
            else:
                assert short is not None
                assert short.status is None
                assert len(short.points) == len(points) - (end is None)


@quick
@given(st.binary(max_size=300))
def test_any_bytes_are_a_journal_or_are_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "j.jsonl")
        path.write_bytes(content)
        with suppress(JournalError):
            assert isinstance(read_journal(path), Record | None)


@quick
@given(st.text(max_size=200))
def test_redacting_is_idempotent_and_leaves_nothing_that_steers_a_terminal(text: str) -> None:
    assert redacted(redacted(text)) == redacted(text)
    assert all(character in "\t\n" or ord(character) >= 32 for character in printable(text))


rows = st.lists(
    st.tuples(st.integers(1, 5), st.integers(0, 2), st.floats(-50, 50), st.floats(0, 1)),
    min_size=1,
    max_size=20,
    unique_by=lambda row: row[:3],
)


@settings(quick, max_examples=15)
@given(rows)
def test_curves_read_from_a_file_are_those_written(points: list[tuple[int, int, float, float]]) -> None:
    frame = pd.DataFrame(points, columns=["train_size", "seed", "log_norm", "test_error"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "c.csv")
        frame.to_csv(path, index=False)
        read, norm = read_curves_file(path)
        assert norm == "norm"
        assert read[list(frame.columns)].to_numpy(dtype=float).tolist() == frame.to_numpy(dtype=float).tolist()
        imported = wide(read_table(path), path)
        assert len(imported) == len(frame)
        assert sorted(imported["test/error"]) == sorted(frame["test_error"])


def mutated(text: str, draw: random.Random, words: list[str]) -> str:
    """Return the text with a few random changes: cut, doubled, swapped, overwritten, hostile words put in."""
    for _ in range(draw.randint(1, 4)):
        at, to = sorted(draw.randrange(len(text) + 1) for _ in range(2))
        match draw.randrange(6):
            case 0:
                text = text[:at] + text[to:]
            case 1:
                text = text[:to] + text[at:]
            case 2:
                text = text[:at] + draw.choice(words) + text[at:]
            case 3:
                text = (
                    text[:at] + chr(draw.choice([0, 9, 27, 58, 91, 123, 0x2028, 0xFEFF, 0x1F600])) + text[at:]
                )
            case 4:
                lines = text.splitlines(keepends=True)
                draw.shuffle(lines)
                text = "".join(lines)
            case _:
                text = text[:at] + draw.choice(words) + text[to:]
    return text


WORDS = [
    "null",
    "[]",
    "{}",
    "-1",
    "1e999",
    ".nan",
    "9" * 30,
    "~",
    "true",
    "!!set {a}",
    "- ",
    "  ",
    "? ",
    "'",
    "2001-01-01",
]
WORDS += [
    "count",
    "vary",
    "fixed",
    "<<",
    "*a",
    "&a ",
    "\n",
    ": ",
    ",",
    "inf",
    "0x1f",
    "1_000",
    "!!binary aGk=",
    "..",
    "\t",
]


def fuzz(seed: int, texts: list[str], words: list[str], read: Callable[[str], object], times: int = 150) -> int:
    """Read mutated texts; return how many were refused. Whatever else is raised fails the test."""
    draw = random.Random(seed)
    refused = 0
    for _ in range(times):
        text = mutated(draw.choice(texts), draw, words)
        try:
            read(text)
        except InputError:
            refused += 1
        except Exception as error:  # noqa: BLE001  # that none is raised is what is tested
            pytest.fail(f"{type(error).__name__}: {error} for\n{text!r}")
        if not text:
            break
    return refused


@pytest.mark.parametrize("seed", range(4))
def test_no_study_file_crashes(seed: int) -> None:
    small = {
        "name": "a",
        "fixed": {
            "architecture": {"name": "cnn"},
            "dataset": "digits",
            "epochs": 2,
            "measures": ["weight_norm"],
        },
        "vary": {"train_size": [32, 64], "seed": {"count": 2}, "optimizer.learning_rate": [0.1]},
    }
    texts = [yaml.safe_dump(small, sort_keys=False), shipped_studies()["quickstart"].read_text()]

    def read(text: str) -> None:
        source = YamlSource(text, "fuzzed.yaml")
        expand(parse_study(source), CATALOGUE)

    assert fuzz(seed, texts, WORDS, read) > 60


@pytest.mark.parametrize(
    ("seed", "times"), [*(pytest.param(seed, 150, marks=pytest.mark.slow) for seed in range(2)), (2, 60)]
)
def test_no_curve_file_crashes(seed: int, times: int, tmp_path: Path) -> None:
    path = tmp_path / "fuzzed.csv"
    header = "train_size,seed,step,log_norm,test_error,measure\n"
    rows = "".join(
        f"{p},{s},{k},{0.1 * k},{0.5 / (k + 1)},m\n" for p in (10, 20) for s in (0, 1) for k in range(3)
    )

    def read(text: str) -> None:
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        wide(read_table(path), path)

    words = [
        "nan",
        "inf",
        "-1",
        "1e400",
        "9" * 30,
        '"',
        ",",
        ",,,",
        "\r\n",
        "\n\n",
        "0x10",
        "1_0",
        "$",
        "=1+1",
        "\x00",
    ]
    assert fuzz(seed, [header + rows], words, read, times) > 0.27 * times


@quick
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "params", "fixed", "vary", "seed", "count", "train_size", "measures"]),
                x,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_tree_is_a_study_or_is_refused(tree: Any) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True)
    with suppress(InputError):
        source = YamlSource(text, "s.yaml")
        expand(parse_study(source), CATALOGUE)
    with suppress(ValidationError):
        RunSpec.model_validate(tree)
