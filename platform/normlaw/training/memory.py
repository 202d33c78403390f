"""Keeping freed memory in the process: a training step takes as much again as the one before gave back."""

from __future__ import annotations

import ctypes
from functools import cache

_TRIM_THRESHOLD, _MAPPED_AT_MOST = -1, -4
"""Parameters of glibc's mallopt, from malloc.h."""
_NEVER = 2**31 - 1


@cache
def keep_freed_memory() -> None:
    """Let glibc keep large blocks that are freed, instead of giving them back to the system each time.

    By default activations of tens of MiB are mapped anew at each step, and the system fills every page of
    them with zeros first: a tenth of a CNN's step in float32, a quarter in bfloat16. The process keeps its
    largest size until it ends. Blocks of a GPU are kept by torch anyway; on other C libraries nothing changes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MAPPED_AT_MOST, 0)
        mallopt(_TRIM_THRESHOLD, _NEVER)
