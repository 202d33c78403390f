"""`normlaw sync`: send to MLflow what journals hold and it does not have."""

from __future__ import annotations

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.saying import say
from normlaw.cli.source_options import tracking_uri_option


@click.command()
@click.argument("study", required=False, shell_complete=complete.begun)
@tracking_uri_option
def sync(study: str | None, tracking_uri: str | None) -> None:
    """Send what MLflow does not have of STUDY, or of every study begun in this home.

    Runs of processes that were killed are sent as far as they came and marked as killed; whoever trains
    them to their end goes on with the same MLflow runs. Runs in training are left to those who train them.
    Sending twice changes nothing.
    """
    with words.working(f"looking for what MLflow does not have of {study or 'the studies begun here'}"):
        _send(study, tracking_uri)


def _send(study: str | None, tracking_uri: str | None) -> None:
    from normlaw.base.redaction import printable
    from normlaw.study.home import HOME
    from normlaw.verbs.sync import synchronised

    begun, all_sent = False, True
    for result in synchronised(study, tracking_uri=tracking_uri):
        begun = True
        if result.unread:
            say(printable(f"not sent: {result.study}: {result.unread}"), err=True)
            all_sent = False
            continue
        parts = [f"{len(result.sent)} sent", f"{result.there} already there"]
        if result.in_training:
            parts.append(f"{result.in_training} in training")
        say(f"{result.study}: {', '.join(parts)}")
        for name in result.sent:
            say(f"  {name}")
        for name, reason in result.unsent.items():
            say(printable(f"not sent: {name}: {reason}"), err=True)
        all_sent = all_sent and not result.unsent
    if not begun:
        say(f"No study was begun in {HOME} yet.")
    if not all_sent:
        raise click.exceptions.Exit(1)
