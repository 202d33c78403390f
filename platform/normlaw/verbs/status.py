"""`normlaw status`: how far studies have come, from another terminal or after the machine was started anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from normlaw.base.html import Several
from normlaw.base.redaction import first_line
from normlaw.following.follower import Follower, names_here
from normlaw.following.progress import Progress
from normlaw.study import home as kept
from normlaw.study.study import Study
from normlaw.verbs.load_study import name_of
from normlaw_registry import InputError

if TYPE_CHECKING:
    from normlaw.tracking.store import StudyStore


def status(
    *studies: str | Study,
    home: Path | None = None,
    tracking_uri: str | None = None,
    offline: bool = False,
) -> list[Progress]:
    """Return how far studies have come (none named: all); `normlaw status`.

    What the journals of this home hold is told as it is now, with the runs in training; what MLflow has of
    other machines is added. Nothing is written, and nobody who trains is disturbed.

    Args:
        studies: studies or their names.
        home: folder of the journals; default NORMLAW_HOME, else .normlaw in the working folder.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.
        offline: look at the journals alone.

    Raises:
        InputError: neither the home nor MLflow has a study of that name.

    """
    named = list(map(name_of, studies))
    return Several(follower.follow() for follower in followers(named, home, tracking_uri, offline=offline))


def followers(
    studies: Sequence[str], home: Path | None = None, tracking_uri: str | None = None, *, offline: bool = False
) -> list[Follower]:
    """Return what follows studies, of none named all: those begun in the home, and those at MLflow.

    An MLflow that does not answer hides no study of the home.
    """
    home = home or kept.HOME

    def open_store(study: str) -> StudyStore:
        from normlaw.tracking.store import StudyStore

        return StudyStore.open(study, tracking_uri)

    names = list(studies) or names_here(home, [] if offline else names_at_server(tracking_uri)[0])
    return [Follower(home, name, None if offline else open_store) for name in names]


def names_at_server(tracking_uri: str | None) -> tuple[list[str], str]:
    """Return the names of the studies at MLflow, and why it could not be asked; one of both is empty."""
    from normlaw.tracking.store import StudyStore

    try:
        return [store.name for store in StudyStore.every([], tracking_uri) if store.is_study], ""
    except InputError as error:
        return [], first_line(error)
