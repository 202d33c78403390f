"""Rules that end a run before its last step."""

from __future__ import annotations

import math
from collections.abc import Mapping

from normlaw.study.run_options import Stopping


def reason_to_stop(rules: Stopping, point: Mapping[str, float]) -> str | None:
    """Return why a run ends at this measuring point, or None when it goes on.

    >>> reason_to_stop(Stopping(train_error=0), {"train/error": 0.0})
    'train/error 0 is at most 0'
    """
    if rules.train_error is not None and point["train/error"] <= rules.train_error:
        return f"train/error {point['train/error']:g} is at most {rules.train_error:g}"
    for measure, limit in rules.log_norm.items():
        reached = point.get(f"log_norm/{measure}", -math.inf)
        if reached >= limit:
            return f"log_norm/{measure} {reached:g} is at least {limit:g}"
    return None
