"""Data sets."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_plugins.datasets.digits import DIGITS
from normlaw_plugins.datasets.teacher_student import TEACHER_STUDENT
from normlaw_registry import Dataset, hookimpl


@hookimpl
def normlaw_datasets() -> Iterable[Dataset]:
    """Return the built-in data sets."""
    return (DIGITS, TEACHER_STUDENT)
