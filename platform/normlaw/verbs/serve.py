"""`normlaw serve`: a web page of studies, their curves and laws as they come, and their progress."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normlaw.study import home as kept
from normlaw.verbs.status import names_at_server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from normlaw.page.answers import Answers
    from normlaw.tracking.store import StudyStore

HOST, PORT = "127.0.0.1", 5080


def serve(
    *,
    host: str = HOST,
    port: int = PORT,
    home: Path | None = None,
    tracking_uri: str | None = None,
    mlflow_pages: str = "",
    say: Callable[[str], None] = print,
) -> None:
    """Serve the page until SIGINT or SIGTERM; `normlaw serve`.

    Args:
        host: address that is bound. Where others than this machine reach it, the page asks for a token: that of
            the environment variable NORMLAW_PAGE_TOKEN, else one that is made and told.
        port: 0 for any that is free.
        home: folder of the journals; default NORMLAW_HOME, else .normlaw in the working folder.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.
        mlflow_pages: where a browser finds MLflow's pages; default: at the tracking URI.
        say: is told the address, and a token that was made.

    Raises:
        InputError: the address cannot be bound, or the token is too short.

    """
    from normlaw.page.serving import TOKEN, page_server

    answers, close = answers_for(home, tracking_uri, mlflow_pages)
    try:
        page = page_server(answers, host, port)
        say(f"The page: {page.address} (Ctrl-C ends it)")
        if page.made:
            say(f"Its token, of this start: {page.token}")
        elif page.token:
            say(f"Its token is that of {TOKEN}.")
        page.run()
    finally:
        close()


def answers_for(
    home: Path | None, tracking_uri: str | None, mlflow_pages: str = ""
) -> tuple[Answers, Callable[[], None]]:
    """Return what answers for the studies of a home and a server, and what ends its work."""
    from normlaw.page.answers import Answers
    from normlaw.page.site import Site
    from normlaw.tracking.client import impatient, stamp
    from normlaw.verbs.compare import compare
    from normlaw.verbs.report import latest_findings
    from normlaw_registry import load_catalogue

    def open_store(study: str) -> StudyStore:
        from normlaw.tracking.store import StudyStore

        return StudyStore.open(study, tracking_uri)

    def findings(studies: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        return latest_findings(studies, tracking_uri)

    def differences(first: str, second: str | None) -> pd.DataFrame:
        return compare(first, second, tracking_uri=tracking_uri)

    opened = ExitStack()
    # for as long as the page lives: else one thread would change the environment as another one reads it
    opened.enter_context(impatient())
    site = Site(
        home or kept.HOME,
        open_store,
        lambda: names_at_server(tracking_uri),
        load_catalogue(),
        lambda: stamp(tracking_uri),
    )
    opened.callback(site.close)
    return Answers(site, findings, differences, mlflow_pages), opened.close
