"""States of trunks where their arms leave them, kept until all arms have been trained."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from normlaw.study.identity import hash_of
from normlaw.study.intervention import Moment
from normlaw.study.spec import RunSpec
from normlaw.tracking.record import is_done

if TYPE_CHECKING:
    from normlaw.execution.job import Outcome
    from normlaw.training.checkpoints import Checkpoints
    from normlaw.training.state import TrainingState

Forks = Mapping[str, tuple[Moment, ...]]
"""Where a launch's arms leave each trunk, by the trunk's hash."""


def forks_of(arms: Iterable[RunSpec]) -> Forks:
    """Return where arms leave their trunks; runs that are none count for nothing."""
    found: dict[str, dict[str, Moment]] = {}
    for spec in arms:
        trunk, start = spec.trunk, spec.intervention.start
        if trunk is not None and start is not None:
            found.setdefault(trunk.spec_hash, {})[key_of(start)] = start
    return {trunk: tuple(moments.values()) for trunk, moments in found.items()}


def key_of(moment: Moment) -> str:
    """Return what a fork is called on disk."""
    return hash_of(moment.model_dump(mode="json"))


def fork_folder(home: Path, study: str, trunk: str) -> Path:
    """Return where the states of a trunk at its forks lie."""
    return home / "forks" / study / trunk


def clear_forks(home: Path, study: str, trunks: Iterable[str]) -> None:
    """Remove the states of trunks whose arms have all been trained."""
    for trunk in trunks:
        shutil.rmtree(fork_folder(home, study, trunk), ignore_errors=True)


def in_waves(missing: list[RunSpec], train: Callable[[list[RunSpec]], Iterator[Outcome]]) -> Iterator[Outcome]:
    """Train trunks, and all that have no arms, before the arms, which go on from them."""
    for wave in ([s for s in missing if s.trunk is None], [s for s in missing if s.trunk is not None]):
        if wave:
            yield from train(wave)


def trunks_left_by_all(specs: Iterable[RunSpec], journal: Callable[[str], Path]) -> set[str]:
    """Return the trunks that no arm has to leave any more.

    Args:
        specs: of a whole study.
        journal: gives where the journal of a run lies, by the run's hash.

    """
    arms = [(spec, trunk.spec_hash) for spec in specs if (trunk := spec.trunk) is not None]
    waiting = {trunk for spec, trunk in arms if not is_done(journal(spec.spec_hash), spec)}
    return {trunk for _, trunk in arms} - waiting


class ForkStates:
    """Keeps the state of a trunk at the first measuring point where each fork's moment has come.

    Args:
        places: where the state of each fork is written.
        earlier: the points that were measured before: what has come with one of them was kept then, or never.

    """

    def __init__(
        self, places: Iterable[tuple[Moment, Checkpoints]], earlier: Iterable[Mapping[str, float]]
    ) -> None:
        points = list(earlier)
        self._ahead = [
            (moment, states) for moment, states in places if not any(moment.has_come(point) for point in points)
        ]

    def keep(self, point: Mapping[str, float], state: Callable[[], TrainingState]) -> None:
        """Write the state of the trunk for each fork that comes with this point.

        Raises:
            NormlawError: it cannot be written.

        """
        here = [place for place in self._ahead if place[0].has_come(point)]
        if here:
            self._ahead = [place for place in self._ahead if place not in here]
            for _, states in here:
                states.clear()
                states.save(state())
