"""Options that a verb states one by one, so that editors and notebooks show them, and hands on together.

What the arguments of a call are is told by `locals()` in the first line of a function alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from normlaw.analysis import Options


def given(arguments: Mapping[str, Any], but: Sequence[str] = ()) -> dict[str, Any]:
    """Return the arguments of a call that are not None, without those that are no options."""
    return {name: value for name, value in arguments.items() if value is not None and name not in but}


def choices_of(arguments: Mapping[str, Any]) -> Options:
    """Return the choices of an analysis that stand among the arguments of a call.

    Raises:
        InputError: a value makes no sense.

    """
    from normlaw.analysis import Options

    known = {field.name for field in fields(Options)}
    return Options(**{name: value for name, value in given(arguments).items() if name in known})
