"""Where studies are found: those that come with normlaw, and files."""

from __future__ import annotations

from pathlib import Path

from normlaw.study.parents import read_whole, shipped_studies
from normlaw.study.study import Study, parse_study
from normlaw_registry import InputError
from normlaw_registry.errors import brief, suggestion

__all__ = ["find_study", "shipped_studies"]


def find_study(name_or_path: str) -> Study:
    """Return a study, given a shipped one's name or a file.

    Raises:
        InputError: there is neither, or it is wrong; names the nearest shipped studies, or the line.

    """
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return parse_study(read_whole(path))
    shipped = shipped_studies()
    if name_or_path not in shipped:
        raise InputError(
            f"no study {brief(name_or_path)}: {suggestion(name_or_path, list(shipped))} "
            "(a study of your own is named by the path of its YAML file)"
        )
    return parse_study(read_whole(shipped[name_or_path]))
