"""What is said of a process that did not come to its end: which signal ended it, and what that means."""

from __future__ import annotations

import re
import signal

from normlaw.base.failures import place

CRASHES = {
    signal.SIGSEGV: "segmentation fault",
    signal.SIGABRT: "abort, as after heap corruption",
    signal.SIGBUS: "bus error",
    signal.SIGILL: "illegal instruction",
    signal.SIGFPE: "floating-point exception",
}
"""Signals that a process brings on itself by a fault of its own."""
_FATAL = {
    "Segmentation fault": signal.SIGSEGV,
    "Aborted": signal.SIGABRT,
    "Bus error": signal.SIGBUS,
    "Illegal instruction": signal.SIGILL,
    "Floating-point exception": signal.SIGFPE,
}
"""What Python's faulthandler calls them."""


def is_its_own_fault(exit_code: int) -> bool:
    """Return whether a process crashed or ended itself, and was not killed by somebody."""
    return exit_code >= 0 or -exit_code in CRASHES


def describe_exit(exit_code: int) -> str:
    """Return how a process ended that was not to end, given its exit code: minus the number of a signal.

    >>> describe_exit(-11)
    'a library crashed in its process (SIGSEGV, segmentation fault)'
    >>> describe_exit(-9)
    "its process was killed from outside (SIGKILL); by the system's out-of-memory killer?"
    >>> describe_exit(3)
    'its process ended with exit code 3: some code in it ended it, as by os._exit'
    """
    if exit_code >= 0:
        return f"its process ended with exit code {exit_code}: some code in it ended it, as by os._exit"
    name = _name(-exit_code)
    if -exit_code in CRASHES:
        return f"a library crashed in its process ({name}, {CRASHES[signal.Signals(-exit_code)]})"
    if -exit_code == signal.SIGKILL:
        return "its process was killed from outside (SIGKILL); by the system's out-of-memory killer?"
    return f"its process was killed from outside ({name})"


def exit_code_of(last_words: str) -> int | None:
    """Return the exit code of a process that left these words of faulthandler's; None where it left none.

    >>> exit_code_of("Fatal Python error: Bus error")
    -7
    """
    found = re.search(r"^Fatal Python error: (.+)$", last_words, re.MULTILINE)
    return -_FATAL[found[1]] if found and found[1] in _FATAL else None


def place_of(last_words: str) -> str:
    """Return 'FILE, line N' of the Python code that was running when a process crashed; empty if unknown.

    >>> place_of('Current thread 0x1 (most recent call first):\\n  File "/a/b.py", line 7 in measure')
    '/a/b.py, line 7'
    """
    frames = re.findall(r'^  File "(.+)", line (\d+) in ', last_words, re.MULTILINE)
    return place([(file, int(line)) for file, line in reversed(frames)])


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
