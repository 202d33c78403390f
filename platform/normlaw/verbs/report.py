"""`normlaw report`: studies beside each other and beside the published values, as one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from normlaw.study.study import Study
from normlaw.verbs.load_study import name_of
from normlaw_registry import InputError


def report(
    *studies: str | Study, page: Path | str = Path("reports/comparison.html"), tracking_uri: str | None = None
) -> list[str]:
    """Write a page that compares the latest analyses of studies (none: all); `normlaw report`.

    Args:
        studies: studies or their names.
        page: the HTML file to write.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Returns:
        The names of the analyses on the page.

    Raises:
        InputError: no server, no such study, no analysis of any of them, or the page cannot be written.

    """
    from normlaw.analysis.comparison import comparison_page
    from normlaw.base.files import write_whole

    found = latest_findings(list(map(name_of, studies)), tracking_uri)
    try:
        write_whole(Path(page), comparison_page(found))
    except OSError as error:
        raise InputError(f"cannot write {page}: {error.strerror}") from None
    return list(found)


def latest_findings(studies: Sequence[str], tracking_uri: str | None = None) -> dict[str, dict[str, Any]]:
    """Return what the latest analyses of studies (none: all) found, by study and setting.

    Raises:
        InputError: no server, no such study, or no analysis of any of them.

    """
    from normlaw.analysis.writing import MARK
    from normlaw.tracking.store import StudyStore

    found = {
        name: result
        for store in StudyStore.every(studies, tracking_uri)
        for name, result in store.findings(MARK).items()
    }
    if not found:
        named = ", ".join(studies) or "this server"
        raise InputError(f"no analysis of {named} yet: `normlaw analyse STUDY` makes one")
    return found
