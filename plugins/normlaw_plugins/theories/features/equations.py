"""The two-point equations, and their double inverse Laplace transforms: test loss, train loss, squared norm."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isinf

import numpy as np
from numpy.typing import NDArray

from normlaw_plugins.theories.features.roots import Complex, Kernel

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class State:
    """Test loss, train loss and |v|^2, each an array of the same shape."""

    test_loss: Array
    train_loss: Array
    norm2: Array


def two_points(
    kernel: Kernel, noise: float, product: Complex, ratios: Complex, sums: tuple[Complex, ...]
) -> tuple[Complex, Complex, Complex]:
    """Return z z' times C0 and C1, and C3, for pairs of frequencies.

    With g_k = 1/(kappa + lam_k), A_n = sum lam_k^n g_k g_k', T_n = sum lam_k^n w_k^2 g_k g_k' the four
    equations are

        c0 (1 - A_2/P) - C3 kappa kappa' A_1/N = kappa kappa' T_1 + sigma^2 A_2/P,
        C3 (1 - A_2/N) - c0 A_1/P              = T_2 + sigma^2 A_1/P,      c0 = z z' C0,
        c1 = R1 R1' (c0 + sigma^2),                                       c1 = z z' C1.

    Args:
        kernel: spectrum, examples P and width N.
        noise: sigma^2.
        product: kappa kappa'.
        ratios: R1 R1'.
        sums: A_1, A_2, T_1, T_2.

    """
    a1, a2, t1, t2 = sums
    p, n = kernel.examples, kernel.width
    first, second = product * t1 + noise * a2 / p, t2 + noise * a1 / p
    determinant = (1.0 - a2 / p) * (1.0 - a2 / n) - product * a1 * a1 / (n * p)
    c0 = (first * (1.0 - a2 / n) + second * product * a1 / n) / determinant
    c3 = (second * (1.0 - a2 / p) + first * a1 / p) / determinant
    return c0, ratios * (c0 + noise), c3


def inverse(kernel: Kernel, noise: float, z: Complex, weights: Complex) -> State:
    """Return the state at each of several times.

    Args:
        kernel: spectrum, examples and width.
        noise: sigma^2.
        z: upper halves of the contours, (times, nodes), beginning where |z| is largest on the right.
        weights: what the values at z are summed with, the real part of which is taken twice, (times, nodes).

    """
    kappa = kernel.along(z)
    r1 = kernel.ratio(kappa, z)
    modes = kernel.modes
    g = 1.0 / (kappa[..., None] + modes.lam)
    parts = np.concatenate([g.real, g.imag], axis=1)  # (times, 2 nodes, n)
    half = z.shape[1]
    pairs: list[tuple[Complex, Complex]] = []
    for weight in (modes.of_lam, modes.of_lam2, modes.of_target, modes.of_lam_target):
        m = (parts * weight) @ parts.transpose(0, 2, 1)
        rr, ri, ii = m[:, :half, :half], m[:, :half, half:], m[:, half:, half:]
        ir = ri.transpose(0, 2, 1)
        pairs.append((rr - ii + 1j * (ri + ir), rr + ii + 1j * (ir - ri)))  # g g' and g conj(g')
    scaled = weights / z
    totals = [np.zeros(len(z)) for _ in range(3)]
    for conjugate in (0, 1):
        other = [np.conj(x) if conjugate else x for x in (kappa, r1, scaled)]
        found = two_points(
            kernel,
            noise,
            kappa[:, :, None] * other[0][:, None, :],
            r1[:, :, None] * other[1][:, None, :],
            tuple(pair[conjugate] for pair in pairs),
        )
        for which, values in enumerate(found):
            totals[which] += 2.0 * np.einsum("tj,tjl,tl->t", scaled, values, other[2]).real
    return State(*totals)


def at_infinity(kernel: Kernel, noise: float) -> State:
    """Return the limits of long time, each (1,).

    z tends to 0: to kappa = 0 where the modes are fewer than examples and width, else to the kappa at which
    S(kappa) is the smaller of these two. Where as many modes as examples or features are the smallest, kappa
    tends to 0 too, and without noise all is learnt; but c0 and C3 become 0/0. With T = sum_k 1/lam_k, for
    P = M < N, 1 - A_2/P is (kappa + kappa') T/M, and kappa kappa' goes faster: c0 tends to 0 and C3 to
    sum_k w_k^2/(1 - M/N), its value on either side. For N = M < P it is 1 - A_2/N, by which C3 is divided.
    """
    modes = kernel.modes
    if isinf(kernel.examples) and isinf(kernel.width):  # all is learnt
        return State(np.zeros(1), np.array([noise]), np.array([modes.of_squares.sum()]))
    if noise == 0.0 and modes.count == min(kernel.examples, kernel.width):
        room = 1.0 - modes.count / kernel.width
        return State(np.zeros(1), np.zeros(1), np.array([modes.of_squares.sum() / room if room else inf]))
    kappa = kernel.zero(min(kernel.examples, kernel.width))
    g = 1.0 / (kappa + modes.lam)
    sums = tuple(
        np.array([np.sum(weight * g * g) + 0j])
        for weight in (modes.of_lam, modes.of_lam2, modes.of_target, modes.of_lam_target)
    )
    r1 = 1.0 - float(np.sum(modes.of_lam * g)) / kernel.examples
    learnt = kernel.examples <= min(kernel.width, modes.count) and not isinf(kernel.examples)
    ratios, product = np.array([0j if learnt else r1 * r1 + 0j]), np.array([kappa * kappa + 0j])
    found = two_points(kernel, noise, product, ratios, sums)
    return State(*(value.real for value in found))
