"""`normlaw serve`: the web page."""

from __future__ import annotations

import click

from normlaw.base.terminal import words
from normlaw.cli.saying import say
from normlaw.cli.source_options import tracking_uri_option


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind; see above.")
@click.option("--port", default=5080, show_default=True, type=click.IntRange(0, 65535), help="0: any.")
@tracking_uri_option
@click.option("--mlflow-pages", default="", help="Where browsers find MLflow's pages; default: at its URI.")
def serve(host: str, port: int, tracking_uri: str | None, mlflow_pages: str) -> None:
    """Serve a web page of all studies: their curves and laws as they come, their progress, comparisons.

    It reads MLflow, any server or store, and the journals here, and writes nothing. Only this machine
    reaches it, unless --host says otherwise: then it asks for a token, that of NORMLAW_PAGE_TOKEN, else one
    that is made and printed. Ctrl-C ends it.
    """
    with words.working("loading what draws the figures", logged=False):
        from normlaw.verbs.serve import serve as run
    run(host=host, port=port, tracking_uri=tracking_uri, mlflow_pages=mlflow_pages, say=say)
