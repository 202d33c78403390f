"""Pictures of pages in a browser, for the docs and for the eye."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

ALBUM = os.environ.get("NORMLAW_SCREENSHOTS", "")
"""The folder that pictures are written to; none are taken without one."""


def photograph(page: Any, name: str, **options: Any) -> None:
    """Write a picture of a page into the album, if there is one."""
    if ALBUM:
        Path(ALBUM).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(ALBUM, name), **options)
