"""Freed memory stays with the process: taking it again costs no page faults."""

from __future__ import annotations

import platform
import resource

import pytest

from normlaw_tests.processes import python

ACCOUNT = """
import resource, sys
import torch
from normlaw.training.memory import keep_freed_memory

def faults(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        torch.ones(64 * 2**20 // 4)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if sys.argv[1] == "kept":
    keep_freed_memory()
faults(20)  # blocks are aligned, so a few are taken before one fits where the last one was
print(faults(10))
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep memory")
def test_large_blocks_are_taken_from_the_system_once() -> None:
    def faults(kept: str) -> int:
        return int(python("-c", ACCOUNT, kept, check=True).stdout)

    pages = 10 * 64 * 2**20 // resource.getpagesize()
    assert faults("kept") < pages / 100
    assert faults("as it was") > pages / 2
