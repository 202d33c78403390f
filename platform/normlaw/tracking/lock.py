"""Whether a process still holds a file that it locked when it opened it for writing."""

from __future__ import annotations

import fcntl
from pathlib import Path


def is_held(path: Path) -> bool | None:
    """Return whether a process has a file locked; None where it cannot be read or tried."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False
