"""What runs are compared by in size, as metrics beside the parameters.

A parameter is text to MLflow: it cannot be compared with `>`, and 960 is sorted behind 1000.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

TRAIN_SIZE = "train_size"
NO_SIZE = ("seed", "step", "epoch")
"""A number that only tells runs apart, and names that curves have."""


def sizes(params: Mapping[str, str], varied: Iterable[str] = ()) -> dict[str, float]:
    """Return the train size, and each varied parameter that is a finite number, by the parameter's name.

    Args:
        params: of a run, as MLflow lists them.
        varied: names of what a study varies.

    >>> sizes({"train_size": "960", "seed": "0", "optimizer.momentum": "0.9"}, ["optimizer.momentum", "seed"])
    {'train_size': 960.0, 'optimizer.momentum': 0.9}

    """
    wanted = {TRAIN_SIZE, *(name.replace(".params.", ".", 1) for name in varied)} - set(NO_SIZE)
    numbers = {name: _number(text) for name, text in params.items() if name in wanted}
    return {name: value for name, value in numbers.items() if math.isfinite(value)}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
