"""Freed memory stays with the process: taking it again costs no page faults."""

from __future__ import annotations

import os
import platform
import resource
from pathlib import Path

import pytest
import torch

from normlaw.training.memory import keep_freed_memory
from normlaw_tests import forked

BLOCK = 40 * 2**20
"""Bytes, more than glibc keeps of itself: once some were freed, it keeps blocks of up to 32 MiB."""


def account() -> None:
    """Print how many pages five blocks take from the system, before and after it is told to keep them."""
    print(faults(5))
    keep_freed_memory()
    faults(15)  # blocks are aligned, so a few are taken before one fits where the last one was
    print(faults(5))


def faults(times: int) -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        torch.ones(BLOCK // 4)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep memory")
def test_large_blocks_are_taken_from_the_system_once(tmp_path: Path) -> None:
    told = forked.done(account, folder=tmp_path, env=os.environ)
    assert told.returncode == 0, told.stderr
    as_it_was, kept = map(int, told.stdout.split())
    pages = 5 * BLOCK // resource.getpagesize()
    assert as_it_was > pages / 2
    assert kept < pages / 100
