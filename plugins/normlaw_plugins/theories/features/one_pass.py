"""One-pass SGD: each step draws a new batch, so that the examples are infinite and the noise is the batch's."""

from __future__ import annotations

from math import isinf

import numpy as np

from normlaw_plugins.theories.features.contours import FEW_STEPS, circle, stepped
from normlaw_plugins.theories.features.equations import Array
from normlaw_plugins.theories.features.flow import evolve
from normlaw_plugins.theories.features.roots import Kernel
from normlaw_registry import InputError

MOST_STEPS = 100_000
CHEBYSHEV = 60
"""Values from which the population's curve is interpolated beyond FEW_STEPS, in the logs of both."""


def one_pass(kernel: Kernel, noise: float, steps: Array, rate: float, batch: int) -> dict[str, Array]:
    """Return test loss, train loss (of a new batch) and |v|^2 after each number of steps, (n,).

    Raises:
        InputError: too many steps, or a rate at which the loss diverges.

    """
    last = int(steps.max())
    if last > MOST_STEPS:
        raise InputError(
            f"random_features: {last} steps of one-pass SGD are more than {MOST_STEPS}, the most that are "
            "solved"
        )
    wanted = steps.astype(int)
    if isinf(kernel.width):
        loss, norm2 = _recursion(kernel, noise, last, rate, batch)
    else:
        loss, norm2 = _memory(kernel, noise, last, rate, batch)
    if not np.all(np.isfinite(loss)) or not np.all(np.isfinite(norm2)):
        raise InputError(f"random_features: one-pass SGD diverges at learning_rate = {rate:g}, batch = {batch}")
    return {"test_loss": loss[wanted], "train_loss": loss[wanted] + noise, "norm2": norm2[wanted]}


def _recursion(kernel: Kernel, noise: float, last: int, rate: float, batch: int) -> tuple[Array, Array]:
    """Return loss and |v|^2 after 0..last steps of infinite width: exact for Gaussian inputs.

    The mean of e_k is w_k r^n, r = 1 - eta lam_k; its variance follows
    var <- var (r^2 + eta^2 lam_k^2/B) + eta^2 lam_k^2 mean^2/B + eta^2 lam_k (L + sigma^2)/B.
    Variances are kept as multiples of lam_k: var = lam_k d.
    """
    modes = kernel.modes
    lam = modes.lam
    shrink = 1.0 - rate * lam
    log_shrink = np.log1p(-rate * lam) if rate < 1 else None
    squares = modes.of_lam_target  # weight lam^2 w^2: both sums over d need weights lam and lam^2
    kick = rate * rate / batch
    target_ratio = np.divide(squares, modes.of_lam2 * lam)  # w^2/lam
    spread, mean2 = np.zeros_like(lam), np.ones_like(lam)
    loss, norm2 = np.empty(last + 1), np.empty(last + 1)
    for n in range(last + 1):
        loss[n] = modes.of_target @ mean2 + modes.of_lam2 @ spread
        learnt = np.expm1(n * log_shrink) if log_shrink is not None else shrink**n - 1.0
        norm2[n] = _squares(modes.of_target, lam, learnt) + modes.of_lam @ spread
        spread = spread * (shrink * shrink + kick * lam * lam)
        spread += kick * (lam * lam * target_ratio * mean2 + loss[n] + noise)
        mean2 = mean2 * (shrink * shrink)
    return loss, norm2


def _squares(of_target: Array, lam: Array, learnt: Array) -> float:
    """Return sum w^2 learnt^2, from lam w^2."""
    return float(np.sum(of_target * learnt * (learnt / lam)))


def _memory(kernel: Kernel, noise: float, last: int, rate: float, batch: int) -> tuple[Array, Array]:
    """Return the same at finite width: L(n) = F(n) + sum_m K(n-1-m) (L(m) + sigma^2), F the descent without it.

    K(j) = (eta^2/B) tr[K^2 (1 - eta K)^2j] and, for |v|^2, (eta^2/B) tr[K (1 - eta K)^2j], K the kernel,
    are the inverse transforms at step 2j of -z S(kappa(z)) and S(kappa(z)).
    """
    anchors = _anchors(last)
    descent = evolve(kernel, 0.0, anchors * rate, rate)
    loss0 = _between(anchors, descent["test_loss"], last)
    norm0 = np.concatenate([[0.0], _between(anchors[1:], descent["norm2"][1:], last)[1:]])
    traces = _traces(kernel, 2.0 * anchors, rate)
    memory, of_norm = (rate * rate / batch * _between(anchors, trace, last) for trace in traces)
    loss, norm2 = np.empty(last + 1), np.empty(last + 1)
    loss[0], norm2[0] = loss0[0], 0.0
    for n in range(1, last + 1):
        noisy = loss[:n] + noise
        loss[n] = loss0[n] + memory[n - 1 :: -1] @ noisy
        norm2[n] = norm0[n] + of_norm[n - 1 :: -1] @ noisy
    return loss, norm2


def _anchors(last: int) -> Array:
    """Return the steps that are transformed: each one up to FEW_STEPS, then Chebyshev's nodes in their log."""
    few = np.arange(min(last, FEW_STEPS) + 1.0)
    if last <= FEW_STEPS + CHEBYSHEV:
        return np.arange(last + 1.0)
    x = np.cos(np.pi * (np.arange(CHEBYSHEV) + 0.5) / CHEBYSHEV)[::-1]
    low, high = np.log(FEW_STEPS), np.log(last)
    beyond = np.exp((low + high) / 2 + (high - low) / 2 * x)
    return np.concatenate([few, beyond])


def _between(anchors: Array, values: Array, last: int) -> Array:
    """Return positive values at 0..last from those at the anchors."""
    from scipy.interpolate import BarycentricInterpolator

    every = np.arange(last + 1.0)
    if len(anchors) >= last:
        return values if len(values) == last + 1 else np.concatenate([[0.0], values])
    found = np.empty(last + 1)
    whole = anchors <= FEW_STEPS
    whole[-CHEBYSHEV:] = False
    found[anchors[whole].astype(int)] = values[whole]
    beyond = every > FEW_STEPS
    curve = BarycentricInterpolator(np.log(anchors[-CHEBYSHEV:]), np.log(values[-CHEBYSHEV:]))
    found[beyond] = np.exp(curve(np.log(every[beyond])))
    return found


def _traces(kernel: Kernel, steps: Array, rate: float) -> tuple[Array, Array]:
    """Return tr[K^2 (1 - rate K)^n] and tr[K (1 - rate K)^n] at steps n, (n,)."""
    edge = kernel.edge()
    found = np.zeros((2, len(steps)))
    few = steps <= 2 * FEW_STEPS
    for part, on_circle in ((few, True), (~few, False)):
        if not part.any():
            continue
        z, weights = (circle if on_circle else stepped)(steps[part], rate, edge)
        kappa = kernel.along(z)
        total = (1.0 / (kappa[..., None] + kernel.modes.lam)) @ kernel.modes.of_lam.astype(complex)
        found[0, part] = 2.0 * np.sum(-z * total * weights, axis=1).real
        found[1, part] = 2.0 * np.sum(total * weights, axis=1).real
    return found[0], found[1]
