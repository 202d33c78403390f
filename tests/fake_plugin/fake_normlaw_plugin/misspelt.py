"""Misspells a hook."""

from normlaw_registry import hookimpl


@hookimpl
def normlaw_achitectures():
    return []
