"""Forgets to return."""

from normlaw_registry import hookimpl


@hookimpl
def normlaw_datasets():
    pass
