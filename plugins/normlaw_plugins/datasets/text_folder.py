"""Text of a folder's files as sequences of bytes or of byte pairs."""

from __future__ import annotations

import sysconfig
from collections.abc import Sequence
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_plugins.datasets.byte_pairs import BYTES, byte_pairs
from normlaw_plugins.datasets.text_files import read_text
from normlaw_registry import Dataset, DatasetInfo, InputError, LoadContext, Params, Split, Splits, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


class TextFolderParams(Params):
    """Parameters of `text_folder`."""

    path: str | None = Field(
        None,
        min_length=1,
        description="folder of text files, searched with all folders in it; a relative path starts from the "
        "folder of data sets; by default the source of the Python standard library that runs normlaw",
    )
    files: tuple[str, ...] = Field(("*.py",), min_length=1, description="patterns of the names of its files")
    without: tuple[str, ...] = Field(
        ("site-packages", "dist-packages", "test", "tests", "idle_test", ".*"),
        description="patterns of the names of folders that are left out",
    )
    vocabulary: int = Field(
        BYTES,
        ge=BYTES,
        le=2**15,
        description="number of tokens; 256 are the bytes, more are byte pairs merged as they are frequent in "
        "the training files, for which the package tokenizers is needed (the extra `text`)",
    )
    length: int = Field(
        128, ge=1, le=10**5, description="T, the tokens of a sequence at which the next is foretold"
    )
    test_fraction: float = Field(
        0.1, gt=0, lt=1, description="share of the files that are for the test, told by a hash of their names"
    )
    digest: str | None = Field(
        None,
        pattern="^[0-9a-f]{16}$",
        description="the digest that the files must have, as runs note it; files that have changed are refused",
    )
    test_size: int = Field(
        1000, ge=1, le=10**6, description="number of test sequences at most, spread over the test files"
    )


def info(params: TextFolderParams) -> DatasetInfo:
    """Return the task and the largest number of test sequences."""
    task = Task(input_shape=(params.length,), kind="next_token", vocabulary=params.vocabulary)
    return DatasetInfo(task=task, test_size=params.test_size)


def load_text_folder(params: TextFolderParams, context: LoadContext) -> Splits:
    """Return sequences of T tokens one after the other, inputs and labels (n, T) uint8, byte pairs int16.

    The files of a part follow one another in the order of their names, and so do its sequences: n of them hold
    the n T + 1 first tokens. Byte pairs are learnt from the training files alone.

    Raises:
        InputError: the folder is missing, it holds not two such files, a part is shorter than one sequence,
            tokenizers is missing, or the files have another digest than `digest`.

    """
    root, what = Path(sysconfig.get_path("stdlib")), f"Python {python_version()}, "
    if params.path is not None:
        root, what = context.data_dir / Path(params.path).expanduser(), ""
    text = read_text(root, params.files, params.without, params.test_fraction)
    if params.digest not in (None, text.digest):
        raise InputError(
            f"dataset 'text_folder': the files in {root} have the digest {text.digest}, not {params.digest}: "
            "they have changed, or are others; leave `digest` out to take them as they are"
        )
    train, test = _tokens(text.train, text.test, params.vocabulary)
    for part, tokens in (("training", train), ("test", test)):
        if len(tokens) <= params.length:
            raise InputError(
                f"dataset 'text_folder': the {part} files in {root} hold {len(tokens)} tokens, and a sequence "
                f"with what follows it has {params.length + 1}: lower `length`, or take more files"
            )
    held_out = _sequences(test, params.length)
    count = min(params.test_size, len(held_out))
    chosen = [place * len(held_out) // count for place in range(count)]
    return Splits(
        task=info(params).task,
        train=_sequences(train, params.length),
        test=Split(inputs=held_out.inputs[chosen], labels=held_out.labels[chosen]),
        unit=f"sequences of {params.length} {'bytes' if params.vocabulary == BYTES else 'tokens'}",
        fingerprint=f"{what}{len(text.train) + len(text.test)} files, digest {text.digest}",
    )


def _tokens(train: Sequence[bytes], test: Sequence[bytes], vocabulary: int) -> tuple[Tensor, Tensor]:
    """Return both parts as tokens, (n,) each."""
    import numpy as np
    import torch

    def as_bytes(file: bytes) -> NDArray[np.uint8]:
        return np.frombuffer(file, dtype=np.uint8)

    encode = as_bytes if vocabulary == BYTES else byte_pairs(train, vocabulary)
    first, second = (
        torch.from_numpy(np.concatenate([encode(file) for file in part])) for part in (train, test)
    )
    return first, second


def _sequences(tokens: Tensor, length: int) -> Split:
    """Return all whole sequences and the tokens that follow theirs, (n, T) each; both are views."""
    count = (len(tokens) - 1) // length
    end = count * length
    return Split(inputs=tokens[:end].view(count, length), labels=tokens[1 : end + 1].view(count, length))


TEXT_FOLDER = Dataset(
    name="text_folder",
    summary="Your own text, or the source of Python's standard library, as bytes or byte pairs",
    source="Sennrich, Haddow, Birch 2016, arXiv:1508.07909 (byte pairs)",
    params=TextFolderParams,
    load=load_text_folder,
    info=info,
)
