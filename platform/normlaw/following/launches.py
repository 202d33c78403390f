"""The launches of a study, as their files beside the journals tell."""

from __future__ import annotations

from pathlib import Path

from normlaw.following.progress import LaunchProgress
from normlaw.tracking.launch_file import is_over, read_launch


def launches_in(folder: Path) -> list[LaunchProgress]:
    """Return the launches that have begun in a folder of journals, newest first."""
    found = []
    for path in folder.glob("*.launch"):
        record = read_launch(path)
        if record is None:
            continue
        at_work = record.ended is None and not is_over(path)
        found.append(
            LaunchProgress(
                name=path.stem,
                started=record.started,
                ended=record.ended,
                at_work=at_work,
                status="RUNNING" if at_work else record.status,
                about=dict(record.about),
            )
        )
    return sorted(found, key=lambda launch: (launch.started, launch.name), reverse=True)
