"""How a number of another program becomes one of normlaw: `val_loss`, `1 - accuracy`, `log(weight_norm)`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from normlaw.elsewhere.logged import Floats
from normlaw_registry import InputError
from normlaw_registry.errors import brief


def _log(x: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(x))


FORMS: tuple[tuple[str, str, Callable[[Floats], Floats]], ...] = (
    (r"1 *- *(?P<name>.+?) */ *100", "1 - NAME / 100", lambda x: 1 - x / 100),
    (r"(?P<name>.+?) */ *100", "NAME / 100", lambda x: x / 100),
    (r"1 *- *(?P<name>.+)", "1 - NAME", lambda x: 1 - x),
    (r"log\(10\) *\* *(?P<name>.+)", "log(10) * NAME", lambda x: math.log(10) * x),
    (r"log\((?P<name>.+)\)", "log(NAME)", _log),
    (r"(?P<name>.+)", "NAME", lambda x: x),
)
"""Accuracy in per cent, error in per cent, accuracy, common logarithm, the norm itself; or the very number."""
LONGEST = 300
"""Characters; MLflow's names have 250."""


@dataclass(frozen=True)
class Quantity:
    """A number that is taken from another one.

    Attributes:
        text: as the user wrote it.
        name: what the other program calls what it is made of.
        apply: returns the numbers, (n,) -> (n,); NaN where there is none.

    """

    text: str
    name: str
    apply: Callable[[Floats], Floats]


def quantity(text: str, where: str) -> Quantity:
    """Return what a text of one of the `FORMS` says.

    >>> quantity("1 - val_acc / 100", "--take").name
    'val_acc'

    Raises:
        InputError: the text is empty or too long.

    """
    stripped = text.strip()
    if not stripped or len(stripped) > LONGEST:
        forms = ", ".join(form for _, form, _ in FORMS)
        raise InputError(f"{where}: {brief(text)} names nothing: write one of {forms}")
    for pattern, _, apply in FORMS:
        found = re.fullmatch(pattern, stripped)
        if found:
            return Quantity(stripped, found["name"].strip(), apply)
    raise AssertionError("the last form takes every text")
