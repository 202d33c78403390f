"""Gradient flow and gradient descent at many times, with an estimate of the error of each value."""

from __future__ import annotations

from math import inf, isinf

import numpy as np

from normlaw_plugins.theories.features.contours import FEW_STEPS, FEWER, NODES, circle, stepped, talbot
from normlaw_plugins.theories.features.equations import Array, State, at_infinity, inverse
from normlaw_plugins.theories.features.modes import SUMMED
from normlaw_plugins.theories.features.roots import Kernel
from normlaw_registry import InputError, NormlawError

TRUSTED = 1e-8
"""Relative difference of two contours up to which a value is given."""
NOTHING = 1e-12
"""A loss below this fraction of that at the start is given as 0 where it cannot be told from 0."""
TOGETHER = 64
"""Times solved side by side; more would only fill the memory."""
NAMES = ("test_loss", "train_loss", "norm2")


def evolve(kernel: Kernel, noise: float, times: Array, rate: float | None) -> dict[str, Array]:
    """Return test loss, train loss and |v|^2 at each time, (times,); infinite times are limits.

    Args:
        kernel: spectrum, examples P and width N.
        noise: sigma^2.
        times: t >= 0; with `rate`, whole multiples of it.
        rate: the learning rate of gradient descent; None: gradient flow.

    Raises:
        InputError: a time or limit has no value; NormlawError: one could not be found to TRUSTED.

    """
    start = float(kernel.modes.of_target.sum())
    found = {name: np.zeros(len(times)) for name in NAMES}
    found["test_loss"] += start
    found["train_loss"] += start + noise
    infinite = np.isinf(times)
    if infinite.any():
        _require_limit(kernel, noise, rate)
        limit = at_infinity(kernel, noise)
        for name in NAMES:
            found[name][infinite] = getattr(limit, name)[0]
    moving = np.flatnonzero((times > 0) & ~infinite)
    if rate is None:
        parts = [moving]
    else:
        few = times[moving] <= FEW_STEPS * rate * (1 + 1e-9)
        parts = [moving[few], moving[~few]]
    for place, part in enumerate(parts):
        for first in range(0, len(part), TOGETHER):
            some = part[first : first + TOGETHER]
            values = _vouched(kernel, noise, times[some], rate, on_circle=rate is not None and place == 0)
            for name in NAMES:
                found[name][some] = values[name]
    return found


def _vouched(
    kernel: Kernel, noise: float, times: Array, rate: float | None, *, on_circle: bool
) -> dict[str, Array]:
    """Return the values at these times; of what decays, by the contour left of the gap where that is needed."""
    best, doubt = _twice(kernel, noise, times, rate, 0.0, on_circle=on_circle)
    loss = kernel.modes.of_target.sum() + noise
    decaying = _decaying(kernel, noise)
    gap = kernel.gap() if decaying and any((doubt[name] > TRUSTED).any() for name in decaying) else 0.0
    shift = -gap if rate is None else float(np.log1p(-rate * gap)) / rate if rate * gap < 1 else 0.0
    for name in decaying if shift and not on_circle else ():
        late = np.flatnonzero(doubt[name] > TRUSTED)
        if len(late):
            again, less = _twice(kernel, noise, times[late], rate, shift, on_circle=False)
            best[name][late], doubt[name][late] = again[name], less[name]
    for name in NAMES:
        lost = doubt[name] > TRUSTED
        nothing = lost & (np.abs(best[name]) < NOTHING * loss)
        best[name] = np.where(nothing & (name != "norm2"), 0.0, best[name])
        if (lost & ~nothing).any():
            place = int(np.flatnonzero(lost & ~nothing)[0])
            raise NormlawError(
                f"random_features: {name} at examples = {kernel.examples:g}, time = {times[place]:g} is known "
                f"to {doubt[name][place]:.0e} of its value only, not to {TRUSTED:g}: it has decayed to "
                f"{abs(best[name][place]):.1e}; ask for earlier times, or for the limit time=inf"
            )
    return best


def _twice(
    kernel: Kernel, noise: float, times: Array, rate: float | None, shift: float, *, on_circle: bool
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the values by one contour, and by how much another one's differ, relative to them."""
    edge = kernel.edge() if rate is not None else 0.0
    states: list[State] = []
    for nodes in (NODES, FEWER):
        if rate is None:
            z, weights = talbot(times, nodes, shift)
        elif on_circle:
            z, weights = circle(times / rate, rate, edge * (1.0 if nodes == NODES else 1.1))
        else:
            z, weights = stepped(times / rate, rate, edge, nodes, shift)
        states.append(inverse(kernel, noise, z, weights))
    first, second = states
    best = {name: getattr(first, name) for name in NAMES}
    with np.errstate(divide="ignore", invalid="ignore"):
        doubt = {name: np.abs(getattr(second, name) / best[name] - 1.0) for name in NAMES}
    return best, {
        name: np.where(best[name] == 0.0, 0.0, np.nan_to_num(d, nan=inf)) for name, d in doubt.items()
    }


def _decaying(kernel: Kernel, noise: float) -> tuple[str, ...]:
    """Return what decays to 0 as the smallest eigenvalue has it."""
    count = kernel.modes.count
    if kernel.examples < min(kernel.width, count):
        return ("train_loss",)
    if (
        count <= SUMMED
        and count < min(kernel.examples, kernel.width)
        and (noise == 0.0 or isinf(kernel.examples))
    ):
        return ("test_loss", "train_loss") if noise == 0.0 else ("test_loss",)
    return ()


def _require_limit(kernel: Kernel, noise: float, rate: float | None) -> None:
    """Refuse limits of long time that are not finite."""
    sizes = sorted([kernel.examples, kernel.width, kernel.modes.count])
    if rate is not None and rate * kernel.edge() >= 2.0:
        raise InputError(
            f"random_features: learning_rate = {rate:g} times the kernel's largest eigenvalue "
            f"{kernel.edge():.4g} is 2 or more: gradient descent diverges"
        )
    if sizes[0] == sizes[1] and not isinf(sizes[0]) and (noise > 0 or kernel.examples == kernel.width):
        raise InputError(
            "random_features: the two smallest of examples, width and modes are equal: the test loss or the "
            "norm diverges at infinite time"
        )
