"""Expects what no hook is given."""

from normlaw_registry import hookimpl


@hookimpl
def normlaw_theories(config):
    return []
