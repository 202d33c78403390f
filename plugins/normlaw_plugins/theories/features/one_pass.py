r"""One-pass SGD: each step draws a new batch, so that the examples are infinite and the noise is the batch's.

Generating functions in x, f^(x) = sum_n f(n) x^n, are inverted at any number of steps by one contour. N finite,
with r(z) = sum_k lam_k w_k^2/(z + lam_k R3) the response of the target, S and R3 those of `roots`:

    z1 = (1 - sqrt x)/(eta sqrt x),  z2 = -(1 + sqrt x)/(eta sqrt x),  z0 = (1 - x)/(eta x)

    full gradients    F^ = (r(z1) - r(z2))/(2 eta sqrt x)
    memory            K^ = (eta/(2 B sqrt x)) (z2 S(z2) - z1 S(z1)),  of K(j) = (eta^2/B) tr H^2 (1 - eta H)^2j
    loss              L^ = (F^ + sigma^2 x K^/(1 - x))/(1 - x K^)
    |v|^2 without K   V^ = 2 r(z0)/(1 - x) - r(z1)/(2 (1 - sqrt x)) - r(z2)/(2 (1 + sqrt x)), in which the
                      poles of r at z = 0 cancel
    |v|^2             V^ + x k^ (L^ + sigma^2/(1 - x)),
                      k^ = (eta/(2 B sqrt x)) (S(z1) - S(z2)),  of (eta^2/B) tr H (1 - eta H)^2j

with H = A Lam A^T/N. They solve L(n) = F(n) + sum_m K(n-1-m) (L(m) + sigma^2); terms of order 1/N are left out.

N infinite, exact for Gaussian inputs: u_k = E e_k^2 follows u <- m u + eta^2 lam (L + sigma^2)/B with
m = 1 - 2 eta lam + eta^2 lam^2 (1 + 1/B), so that

    L^ = (sum_k lam_k w_k^2/(1 - m_k x) + sigma^2 x Q/(1 - x))/(1 - x Q)
    Q  = (eta^2/B) sum_k lam_k^2/(1 - m_k x).

All singularities are at real x: of the losses at x >= 1, of the norm also where a mean overshoots, at x < -1.
"""

from __future__ import annotations

from math import inf, isinf

import numpy as np

from normlaw_plugins.theories.features.contours import FEWER, NODES, series
from normlaw_plugins.theories.features.equations import Array, at_infinity
from normlaw_plugins.theories.features.roots import Complex, Kernel
from normlaw_registry import InputError, NormlawError

TRUSTED = 1e-8
"""Relative difference of two contours up to which a value is given."""


def one_pass(kernel: Kernel, noise: float, steps: Array, rate: float, batch: int) -> dict[str, Array]:
    """Return test loss, train loss (of a new batch) and |v|^2 after each number of steps, (n,); inf: the limit.

    Raises:
        InputError: a rate at which the loss diverges, or at which means overshoot for too long.
        NormlawError: two contours differ by more than TRUSTED.

    """
    gain = _stable(kernel, rate, batch)
    loss, norm2 = np.empty(len(steps)), np.empty(len(steps))
    for place, count in enumerate(steps):
        if isinf(count):
            loss[place], norm2[place] = _limit(kernel, noise, rate, batch, gain)
        elif count == 0:
            loss[place], norm2[place] = kernel.modes.of_target.sum(), 0.0
        else:
            loss[place], norm2[place] = _after(kernel, noise, float(count), rate, batch)
    return {"test_loss": loss, "train_loss": loss + noise, "norm2": norm2}


def _after(kernel: Kernel, noise: float, count: float, rate: float, batch: int) -> tuple[float, float]:
    """Return loss and |v|^2 after a number of steps, by two contours."""
    found = []
    for nodes in (NODES, FEWER):
        s, weights = series(count, rate, kernel.edge(), nodes)
        of = _infinite if isinf(kernel.width) else _finite
        values = of(kernel, noise, s, rate, batch)
        found.append([2.0 * float(np.sum(weights * value).real) for value in values])
    for name, best, other in zip(("test_loss", "norm2"), *found, strict=True):
        doubt = abs(other / best - 1.0)
        if not doubt <= TRUSTED:
            raise NormlawError(
                f"random_features: {name} after {count:g} steps is known to {doubt:.0e} of its value only, not "
                f"to {TRUSTED:g}: it is {best:.1e}; ask for earlier times, or for time=inf"
            )
    return found[0][0], found[0][1]


def _finite(kernel: Kernel, noise: float, s: Complex, rate: float, batch: int) -> tuple[Complex, Complex]:
    """Return the generating functions of loss and |v|^2 at finite width."""
    x, root, left, left_root = np.exp(-s), np.exp(-s / 2.0), -np.expm1(-s), -np.expm1(-s / 2.0)
    z0, z1, z2 = np.expm1(s) / rate, np.expm1(s / 2.0) / rate, -(1.0 + np.exp(s / 2.0)) / rate
    rest = kernel.zero(kernel.width)
    responses = (_response(kernel, z.astype(np.complex128), rest) for z in (z0, z1, z2))
    (_, d0, _), (r1, d1, s1), (r2, d2, s2) = responses
    memory = rate / (2.0 * batch * root) * (z2 * s2 - z1 * s1)
    loss = ((r1 - r2) / (2.0 * rate * root) + noise * x * memory / left) / (1.0 - x * memory)
    descent = 2.0 * d0 / left - 0.5 * (d1 / left_root + d2 / (1.0 + root))
    of_norm = rate / (2.0 * batch * root) * (s1 - s2)
    return loss, descent + x * of_norm * (loss + noise / left)


def _response(kernel: Kernel, z: Complex, rest: float) -> tuple[Complex, Complex, Complex]:
    """Return r(z), r(z) without its pole at 0, and S at each z, (n,), in either half plane.

    The pole is what the features cannot learn, and has no part in |v|^2. With `rest` = kappa at z = 0 and
    g_0 = g at rest, z = kappa (kappa - rest) sum_k lam_k g g_0/N, so that nothing cancels without it.
    """
    below = z.imag < 0
    kappa = kernel.along(np.where(below, np.conj(z), z)[:, None])[:, 0]
    kappa = np.where(below, np.conj(kappa), kappa)
    modes = kernel.modes
    g = 1.0 / (kappa[:, None] + modes.lam)

    def total(weight: Array) -> Complex:
        return np.asarray(g @ weight.astype(np.complex128))

    whole, spent = kappa / z * total(modes.of_target), total(modes.of_lam)
    if rest == 0.0:  # fewer modes than features: all can be learnt
        return whole, whole, spent
    known = 1.0 / (rest + modes.lam)
    without = total(modes.of_lam_target * known) * kernel.width / (kappa * total(modes.of_lam * known))
    return whole, without, spent


def _infinite(kernel: Kernel, noise: float, s: Complex, rate: float, batch: int) -> tuple[Complex, Complex]:
    """Return the same at infinite width; no term of the sums over modes is larger than its result."""
    modes = kernel.modes
    x, rest = np.exp(-s).astype(np.complex128), -np.expm1(-s)  # rest = 1 - x
    lam, x1, left = modes.lam, x[:, None], rest.astype(np.complex128)[:, None]
    more = rate * lam * (1.0 + 1.0 / batch)
    lost = rate * lam * (2.0 - more)  # 1 - m
    own, mean = 1.0 / (left + x1 * lost), 1.0 / (left + x1 * (rate * lam))

    def total(terms: Complex, weight: Array) -> Complex:
        return np.asarray(terms @ weight.astype(np.complex128))

    memory = total(own, modes.of_lam2) * (rate**2 / batch)
    loss = (total(own, modes.of_target) + noise * x * memory / rest) / (1.0 - x * memory)
    learnt = rate * x1 * mean * (x1 * lost + more * left) * own / left  # of w^2 (1 - 2 q^n + m^n), over lam w^2
    driven = total(own, modes.of_lam) * (rate**2 / batch)
    return loss, total(learnt, modes.of_target) + x * driven * (loss + noise / rest)


def _stable(kernel: Kernel, rate: float, batch: int) -> float:
    """Return K^ at x = 1, by which noise in equilibrium is fed back.

    Raises:
        InputError: it is 1 or more, or the mean itself diverges.

    """
    gain, edge = inf, kernel.edge()
    if isinf(kernel.width):
        room = 2.0 - rate * kernel.modes.lam * (1.0 + 1.0 / batch)
        if room.min() > 0.0:
            gain = float(np.sum(kernel.modes.of_lam * rate / (batch * room)))
    elif rate * edge < 2.0:
        z = np.array([complex(-2.0 / rate)])
        gain = rate / (2.0 * batch) * float((z * _response(kernel, z, 0.0)[2])[0].real)
    if not gain < 1.0:
        raise InputError(
            f"random_features: one-pass SGD diverges at learning_rate = {rate:g}, batch_size = {batch}; take a "
            "smaller rate or a larger batch"
        )
    return gain


def _limit(kernel: Kernel, noise: float, rate: float, batch: int, gain: float) -> tuple[float, float]:
    """Return loss and |v|^2 after infinitely many steps."""
    modes, still = kernel.modes, at_infinity(kernel, 0.0)
    loss = (float(still.test_loss[0]) + noise * gain) / (1.0 - gain)
    if loss + noise == 0.0:
        return loss, float(still.norm2[0])
    if isinf(kernel.width):
        of_norm = inf
        if not isinf(modes.count):
            room = 2.0 - rate * modes.lam * (1.0 + 1.0 / batch)
            of_norm = float(np.sum(modes.of_lam / modes.lam * rate / (batch * room)))
    else:
        beyond = float(_response(kernel, np.array([complex(-2.0 / rate)]), 0.0)[2][0].real)
        of_norm = rate / (2.0 * batch) * (min(kernel.width, modes.count) - beyond)
    return loss, float(still.norm2[0]) + of_norm * (loss + noise)
