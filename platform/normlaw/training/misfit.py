"""What does not fit in a run, told without torch, which whoever hears of it may not have loaded."""

from __future__ import annotations

from dataclasses import dataclass

from normlaw.base.failures import Failure
from normlaw.study.spec import Place


@dataclass(frozen=True)
class Misfit:
    """What does not fit: the key of the specification to look at, and why."""

    place: Place
    failure: Failure
