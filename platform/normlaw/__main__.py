"""Where the command line begins and ends, as `python -m normlaw` and as the script: Ctrl-C counts throughout.

It imports next to nothing itself, so that an interruption during the imports is met here.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from contextlib import suppress
from types import FrameType

STOPPED = 128 + signal.SIGINT
OWN_PROCESS = "own process"
"""What a command finds as its context's object where the process is there for it alone."""
YOUNG = 20_000
"""New objects after which Python looks for garbage among them, in place of 700: what MLflow and torch import
stays, and looking at it again and again is a sixth of the processor time of their imports."""
_stopped_with: list[int] = []
"""The exit status, once the command was stopped by a signal."""


def main() -> None:
    """Run the command line; an interruption at any moment ends it with 130 and without a traceback."""
    atexit.register(_leave_in_peace)  # the first one registered is the last one called
    gc.set_threshold(YOUNG)
    try:
        from normlaw.cli.program import main as program

        program(prog_name="normlaw", obj=OWN_PROCESS)
    except KeyboardInterrupt:  # before there was a command that could meet it
        sys.stderr.write("Stopped.\n")
        _stopped_with.append(STOPPED)
        sys.exit(STOPPED)
    except SystemExit as end:
        if end.code in (STOPPED, 128 + signal.SIGTERM):
            _stopped_with.append(int(end.code))
        raise
    finally:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a launch watches for itself
            signal.signal(signal.SIGINT, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    """End at once: all is done but for what threads and libraries have to tidy up."""
    os._exit(STOPPED)


def _leave_in_peace() -> None:
    """Let no Ctrl-C change the exit status any more: Python gives signals their defaults before it ends.

    A command that was stopped ends here: all threads have ended and all has been tidied up, and taking the
    modules of torch and MLflow apart would take seconds more, in which no second Ctrl-C counts.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _stopped_with:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(_stopped_with[0])


if __name__ == "__main__":
    main()
