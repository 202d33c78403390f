"""The jobs that a launch has in a batch system's queue, to be cancelled when it is ended at once."""

from __future__ import annotations

import shlex
import subprocess
import threading
from time import monotonic

from normlaw.execution.interrupts import say

SECONDS_TO_SUBMIT = 5.0
"""How long a job that is being submitted may take until its number is known, when a launch is ended at once."""

SECONDS_TO_CANCEL = 30.0


class QueuedJobs:
    """Knows the jobs by their numbers. Dask's thread tells of them, another one may cancel them.

    Args:
        cancel_command: what cancels jobs whose numbers are added to it.

    """

    def __init__(self, cancel_command: str) -> None:
        self._cancel = shlex.split(cancel_command)
        self._changed = threading.Condition()
        self._jobs: dict[str, None] = {}
        self._being_submitted = 0
        self._over = False

    def begin(self) -> bool:
        """Return whether a job may be submitted; if so, `end` is to be called when that is done."""
        with self._changed:
            self._being_submitted += not self._over
            return not self._over

    def end(self, job: str | None) -> None:
        """Take note of a job that has been submitted, or could not be (None)."""
        with self._changed:
            self._being_submitted -= 1
            if job is not None:
                self._jobs[job] = None
            self._changed.notify_all()

    def gone(self, job: str | None) -> None:
        """Take note of a job that has been cancelled."""
        with self._changed:
            self._jobs.pop(job or "", None)

    def cancel(self) -> None:
        """Cancel all jobs, submit none any more, and tell the user what he has to do himself, if anything."""
        deadline = monotonic() + SECONDS_TO_SUBMIT
        with self._changed:
            self._over = True
            self._changed.wait_for(lambda: not self._being_submitted, deadline - monotonic())
            jobs, unknown = list(self._jobs), self._being_submitted
        if unknown:
            say(f"{unknown} more being submitted: cancel what is left by hand ({self._cancel[0]})")
        if not jobs:
            return
        command = [*self._cancel, *jobs]
        text = shlex.join(command)
        say(f"Cancelling the jobs: {text} (Ctrl-C leaves that to you)")
        try:  # a session of its own: the Ctrl-C that ends the launch at once must not end it, too
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS_TO_CANCEL,
                start_new_session=True,
            )
            failed = done.returncode and (done.stderr.strip() or f"exit code {done.returncode}")
        except (OSError, subprocess.TimeoutExpired) as error:
            failed = str(error)
        if failed:
            say(f"{self._cancel[0]} says: {failed}\nIf jobs are left, cancel them with: {text}")
