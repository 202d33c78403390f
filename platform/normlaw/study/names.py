"""Names that others gave, made fit for places where they could do harm."""

from __future__ import annotations

import hashlib
import re

from normlaw_registry import InputError
from normlaw_registry.errors import brief

STUDY_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
"""What a study may be called: it names an MLflow experiment, a folder, and stands on command lines."""
LONGEST = 120
"""Characters of a part of a path; file systems take 255 bytes."""


def study_name(text: str) -> str:
    """Return the name of a study as it is; whatever makes or fills a study asks this first.

    Raises:
        InputError: a study cannot be called so.

    """
    if not re.fullmatch(STUDY_NAME, text):
        raise InputError(
            f"{brief(text)} cannot be the name of a study: use letters, digits and _ . - (100 at most, "
            "a letter or digit first)"
        )
    return text


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
