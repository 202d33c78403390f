"""On what normalised curves are compared with the noise floor of their seeds; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Abscissa = Literal["compute", "steps", "norm", "departure"]
ABSCISSAS: Mapping[Abscissa, str] = {
    "compute": "compute over final compute",
    "steps": "steps over last step",
    "norm": "norm over optimal norm",
    "departure": "norm over departure norm",
}
"""What x is on each."""
LOGARITHMIC = ("norm", "departure")
"""Abscissas on which curves are read at evenly spaced logarithms."""
TRAIN_SIZE = "train_size"
"""What holds the sizes of a study where nothing else is said."""


def checked_abscissa(name: str) -> Abscissa:
    """Return the abscissa of that name.

    Raises:
        InputError: there is none; names the nearest.

    """
    from normlaw_registry import InputError
    from normlaw_registry.errors import brief, suggestion

    for known in get_args(Abscissa):
        if name == known:
            return known  # type: ignore[no-any-return]
    raise InputError(f"collapse: no abscissa {brief(name)}: {suggestion(name, list(ABSCISSAS))}")
