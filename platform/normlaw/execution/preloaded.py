"""What workers import in any case, imported once by the process that they are forked from; see `nest`.

It only imports: nothing is computed, so that there is no thread that a fork would lose, and no device in use.
OpenBLAS alone starts its threads when it is loaded, and has none where it is told to have one, as workers have.
Nothing looks for garbage among what is imported: a worker that did would take a copy of all of it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
from contextlib import suppress
from importlib import import_module

IMPORTED = (
    "normlaw.execution.recorder",
    "normlaw.execution.worker",
    "normlaw.launching.preflight",
    "normlaw.training.loop",
    "normlaw.training.together",
    "normlaw.training.trial",
    "scipy.linalg",
    "threadpoolctl",
)
_PR_SET_PDEATHSIG = 1
_THREADS = "OPENBLAS_NUM_THREADS"


def _end_with_parent() -> None:
    """Have the system end this process with the one that began it, also in the middle of an import.

    Left to itself a fork server sees that nobody is there any more once it has imported all, and keeps standard
    output open until then, for which whoever reads it waits.
    """
    with suppress(OSError, AttributeError):  # another system than Linux
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _load() -> None:
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = "1"
    gc.disable()
    for name in IMPORTED:
        with suppress(Exception):  # a worker that needs it fails for the same reason, and tells it
            import_module(name)
    gc.freeze()
    gc.enable()
    if before is None:
        del os.environ[_THREADS]
    else:
        os.environ[_THREADS] = before


_end_with_parent()
_load()
