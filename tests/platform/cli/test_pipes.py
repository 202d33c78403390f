"""A reader that has seen enough, as `head` has, ends a command quietly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from normlaw_tests.processes import python


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["plugins"],
        ["plugins", "list", "--json"],
        ["studies", "quickstart"],
        ["theory", "perceptron", "--alpha", "1", "--lambda", "1", "--json", "-"],
    ],
    ids=" ".join,
)
def test_a_command_whose_reader_is_gone_ends_quietly(arguments: list[str], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = python("-m", "normlaw", *arguments, stdout=writing, cwd=tmp_path)
    finally:
        os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 141  # 128 + SIGPIPE, as a shell shows of `yes | head`
