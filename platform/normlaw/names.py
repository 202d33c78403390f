"""Names that others gave, made fit for places where they could do harm."""

from __future__ import annotations

import hashlib
import re

LONGEST = 120
"""Characters of a part of a path; file systems take 255 bytes."""


def path_part(text: str) -> str:
    """Return a text as one part of a path: never empty, hidden, a way out of its folder, or too long.

    >>> path_part("optimizer.weight_decay=0.0001")
    'optimizer.weight_decay=0.0001'
    >>> path_part("../../etc/passwd")
    '_.._etc_passwd'
    """
    safe = re.sub(r"[^\w .,=+()\[\]-]", "_", text, flags=re.ASCII).strip(" ").lstrip(".") or "_"
    if len(safe) <= LONGEST:
        return safe
    return f"{safe[: LONGEST - 9]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
