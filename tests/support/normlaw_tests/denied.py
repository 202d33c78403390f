"""Take from root's process what lets it write where permissions say no, as `setpriv` does for a new program."""

from __future__ import annotations

import ctypes
import os

CAP_DAC_OVERRIDE = 1
_PR_CAPBSET_DROP, _VERSION_3 = 24, 0x20080522


def dac_override() -> None:
    """Have permissions of folders and files hold for this process, and for all that it begins from now on."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # the first 32 that are effective, permitted, inheritable; the others
    _require(libc.capget(header, sets))
    _require(libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(CAP_DAC_OVERRIDE), *[ctypes.c_ulong(0)] * 3))
    for number in range(3):
        sets[number] &= ~(1 << CAP_DAC_OVERRIDE)
    _require(libc.capset(header, sets))


def _require(status: int) -> None:
    if status:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
