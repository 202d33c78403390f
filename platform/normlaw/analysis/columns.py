"""Columns of learning curves under the names that MLflow's metrics have: `test/error`, `log_norm/<measure>`."""

from __future__ import annotations

import re

PREFIX = "log_norm/"
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.: -]{0,199}"
"""What a measure may be called: what MLflow takes as part of a metric's name."""
RESPONSES = ("test/error", "test/loss")
METRIC = re.compile(r"(test|train|validation)/(error|loss)")


def plain(column: str) -> str:
    """Return what a file of one norm calls a column.

    >>> plain("log_norm/weight_norm"), plain("test/error"), plain("epoch")
    ('log_norm', 'test_error', 'epoch')
    """
    return "log_norm" if column.startswith(PREFIX) else column.replace("/", "_")
