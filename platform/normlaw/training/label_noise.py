"""Wrong labels on a fraction of the training examples."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def noisy_labels(labels: Tensor, num_classes: int, fraction: float, stream: np.random.Generator) -> Tensor:
    """Return the labels with each one replaced, with probability `fraction`, by one of the other classes.

    Two numbers are drawn for each example in turn, so that the first P labels are the same however many follow.

    Args:
        labels: (n,) int64 in [0, num_classes).
        num_classes: at least 2; the other classes are equally likely.
        fraction: in [0, 1).
        stream: where the draws come from.

    """
    draws = torch.from_numpy(stream.random((len(labels), 2)))  # (n, 2) in [0, 1)
    offset = 1 + (draws[:, 1] * (num_classes - 1)).long()  # (n,) in [1, num_classes)
    return torch.where(draws[:, 0] < fraction, (labels + offset) % num_classes, labels)
