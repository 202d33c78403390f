"""A small vocabulary of byte pairs, learnt from some text by the package tokenizers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from normlaw_registry import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WORDS = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
"""GPT-2's: no token reaches over the end of what this finds."""
BYTES = 256


def byte_pairs(texts: Sequence[bytes], vocabulary: int) -> Callable[[bytes], NDArray[np.int16]]:
    """Return what turns bytes into tokens below `vocabulary`, learnt from texts by merging frequent pairs.

    Each byte is a token of its own number, and those from 256 on are merges: every file can be written in
    them, whatever its encoding, and is whole again when they are spelt out.

    Raises:
        InputError: the package tokenizers is missing.

    """
    import numpy as np

    try:
        from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
    except ImportError:
        raise InputError(
            f"dataset 'text_folder': a vocabulary of {vocabulary} is learnt by the package tokenizers: "
            f"pip install 'normlaw[text]', or take bytes (vocabulary: {BYTES})"
        ) from None
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(WORDS), "isolated")
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        initial_alphabet=[chr(byte) for byte in range(BYTES)],
        show_progress=False,
    )
    with _one_thread():
        tokenizer.train_from_iterator(map(_characters, texts), trainer)

    def encode(text: bytes) -> NDArray[np.int16]:
        with _one_thread():
            return np.array(tokenizer.encode(_characters(text)).ids, dtype=np.int16)

    return encode


def _characters(text: bytes) -> str:
    return text.decode("latin-1")  # a character for each byte


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep tokenizers to one thread: its threads are not there any more in a process that is forked later."""
    key = "TOKENIZERS_PARALLELISM"
    before = os.environ.get(key)
    os.environ[key] = "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ[key]
        else:
            os.environ[key] = before
