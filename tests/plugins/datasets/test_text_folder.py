"""Text by files: what is read, how it is parted, and that no byte is lost on the way to tokens."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from normlaw_plugins.datasets.byte_pairs import byte_pairs
from normlaw_plugins.datasets.text_files import read_text
from normlaw_plugins.datasets.text_folder import TEXT_FOLDER, TextFolderParams
from normlaw_registry import InputError, LoadContext, Splits
from normlaw_registry.testing import check_component

WORDS = ("the", "norm", "of", "a", "network", "grows", "as", "it", "is", "trained")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `text`: 40 files of words in two folders, and files that do not belong to it."""
    folder = tmp_path_factory.mktemp("data")
    for number in range(40):
        place = folder / "text" / "ab"[number % 2] / f"{number}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        words = (WORDS[(number + k * k) % len(WORDS)] for k in range(60))
        place.write_text(f"{number} {' '.join(words)}")
    for name in ("tests/test_it.py", ".git/hook.py", "a/notes.md"):
        place = folder / "text" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text("left out " * 100)
    return folder


def load(folder: Path, **params: Any) -> Splits:
    context = LoadContext(seed=0, train_size=1, data_dir=folder)
    return TEXT_FOLDER.load(TextFolderParams(**{"path": "text", "length": 16, **params}), context)


def spelt(tokens: torch.Tensor) -> bytes:
    return bytes(tokens.flatten().tolist())


@pytest.mark.parametrize("vocabulary", [256, 300])
def test_it_keeps_the_contract(library: Path, vocabulary: int) -> None:
    params = TextFolderParams(path="text", length=16, vocabulary=vocabulary)
    check_component(TEXT_FOLDER, params=params, data_dir=library)


def test_bytes_are_those_of_the_files_in_the_order_of_their_names(library: Path) -> None:
    text = read_text(library / "text", ("*.py",), ("tests", ".*"), 0.1)
    splits = load(library, test_size=10**6)
    for split, files in ((splits.train, text.train), (splits.test, text.test)):
        whole = b"".join(files)
        assert split.inputs.dtype == split.labels.dtype == torch.uint8
        assert whole.startswith(spelt(split.inputs))
        assert whole[1:].startswith(spelt(split.labels))
        assert 0 < len(whole) - split.inputs.numel() <= 17
    every = sorted((library / "text").glob("[ab]/*.py"), key=lambda path: path.relative_to(library).as_posix())
    contents = [path.read_bytes() for path in every]
    kept = [file for file in contents if file in text.train]
    assert kept == text.train
    assert len(text.train) + len(text.test) == 40


def test_a_file_keeps_its_part_when_others_come(library: Path, tmp_path: Path) -> None:
    before = read_text(library / "text", ("*.py",), ("tests", ".*"), 0.3)
    for path in (library / "text").rglob("[0-9]*.py"):
        copied = tmp_path / path.relative_to(library / "text")
        copied.parent.mkdir(exist_ok=True)
        copied.write_bytes(path.read_bytes())
    (tmp_path / "a" / "another.py").write_text("one more")
    after = read_text(tmp_path, ("*.py",), (), 0.3)
    assert set(before.train) <= set(after.train)
    assert set(before.test) <= set(after.test)
    assert 4 <= len(after.test) <= 20  # 12 of 40 are expected; 4 and 20 are 2.8 standard deviations away
    assert after.digest != before.digest
    (tmp_path / "a" / "another.py").rename(tmp_path / "a" / "other.py")
    assert read_text(tmp_path, ("*.py",), (), 0.3).digest != after.digest


def test_two_files_are_enough_for_two_parts(tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text(name * 30)
    for fraction in (1e-9, 1 - 1e-9):
        text = read_text(tmp_path, ("*.txt",), (), fraction)
        assert len(text.train) == len(text.test) == 1


def test_test_sequences_are_spread_over_the_test_files(library: Path) -> None:
    every, some = load(library, test_size=10**6).test, load(library, test_size=4).test
    places = [len(every) * k // 4 for k in range(4)]
    assert torch.equal(some.inputs, every.inputs[places])
    assert torch.equal(some.labels, every.labels[places])


def test_byte_pairs_are_the_frequent_ones_and_every_byte_is_itself() -> None:
    encode = byte_pairs([b"abab" * 9, b"ab"], 258)
    whole = bytes(range(256)) + "größer".encode() + b" abababab"
    a, b, ab, abab = ord("a"), ord("b"), 256, 257
    expected = [*range(a), ab, *range(b + 1, 256), *"größer".encode(), ord(" "), abab, abab]
    assert encode(whole).tolist() == expected


def test_byte_pairs_are_the_same_again_and_fewer_than_bytes(library: Path) -> None:
    train = read_text(library / "text", ("*.py",), ("tests", ".*"), 0.1).train
    whole = b"".join(train)
    one, other = (byte_pairs(train, 300)(whole) for _ in range(2))
    assert one.tolist() == other.tolist()
    assert max(one) < 300
    assert len(one) < 0.5 * len(whole)


def test_byte_pairs_are_learnt_from_the_training_files_alone(library: Path, tmp_path: Path) -> None:
    text = read_text(library / "text", ("*.py",), ("tests", ".*"), 0.1)
    folder = tmp_path / "text"
    folder.mkdir()
    marks = b"zq" * 2000
    names = [f"{number}.py" for number in range(12)]
    for name in names:
        (folder / name).write_bytes(text.train[0])
    test = read_text(folder, ("*.py",), (), 0.3).test
    rare = next(name for name in names if name in held_out(folder, names))
    (folder / rare).write_bytes(marks)
    assert len(test) < len(names)
    splits = load(tmp_path, vocabulary=260, test_fraction=0.3, test_size=10**6)
    assert int((splits.test.inputs == ord("z")).sum()) > 1000  # never merged with the q that follows


def held_out(folder: Path, names: list[str]) -> set[str]:
    """Return the names of the test files, each told by what is written into it for a moment."""
    found = set()
    for name in names:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(b"mark")
        if b"mark" in read_text(folder, ("*.py",), (), 0.3).test:
            found.add(name)
        (folder / name).write_bytes(content)
    return found


def test_the_standard_library_is_enough_for_eight_million_bytes(tmp_path: Path) -> None:
    splits = TEXT_FOLDER.load(TextFolderParams(), LoadContext(seed=0, train_size=1, data_dir=tmp_path))
    assert splits.train.inputs.numel() >= 8_000_000
    assert splits.train.inputs.untyped_storage().nbytes() < 16_000_000
    assert len(splits.test) == 1000
    version = ".".join(map(str, sys.version_info[:3]))
    assert splits.fingerprint.startswith(f"Python {version}, ")
    assert b"import " in spelt(splits.train.inputs[:50])


def test_it_says_what_train_sizes_count_and_what_it_read(library: Path, tmp_path: Path) -> None:
    splits, pairs = load(library), load(library, vocabulary=300)
    digest = read_text(library / "text", ("*.py",), ("tests", ".*"), 0.1).digest
    assert (splits.counted, pairs.counted) == ("sequences of 16 bytes", "sequences of 16 tokens")
    assert splits.fingerprint == pairs.fingerprint == f"40 files, digest {digest}"
    (tmp_path / "text").mkdir()
    for number in range(2):
        (tmp_path / "text" / f"{number}.py").write_bytes(bytes(100))
    assert load(tmp_path).fingerprint != splits.fingerprint
    assert len(load(library, digest=digest).train) == len(splits.train)
    with pytest.raises(InputError, match=rf"have the digest [0-9a-f]{{16}}, not {digest}: they have changed"):
        load(tmp_path, digest=digest)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"path": "none"}, "none is no folder; `path` names one of text files"),
        ({"files": ["*.c", "*.h"]}, r"no file named \*.c or \*.h outside folders named site-packages"),
        ({"files": ["7.py"]}, "one file named 7.py .* change `files` or `without`, or split the file"),
        ({"length": 5000}, r"the test files in .* hold \d+ tokens, and a sequence .* has 5001: lower `length`"),
        ({"length": 10**5}, "the training files in "),
    ],
)
def test_what_is_no_text_is_refused(library: Path, params: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        load(library, **params)


def test_empty_files_are_too_few(tmp_path: Path) -> None:
    for name in ("one.py", "two.py"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match="hold 0 tokens"):
        load(tmp_path, path=str(tmp_path))


def test_without_tokenizers_bytes_are_read_and_pairs_refused(library: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    assert len(load(library).train)
    with pytest.raises(InputError, match=r"pip install 'normlaw\[text\]', or take bytes"):
        load(library, vocabulary=300)


def test_learning_pairs_leaves_the_environment_as_it_was(library: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    byte_pairs([b"some text, some text"], 260)
    assert "TOKENIZERS_PARALLELISM" not in os.environ
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    byte_pairs([b"some text, some text"], 260)
    assert os.environ["TOKENIZERS_PARALLELISM"] == "true"
