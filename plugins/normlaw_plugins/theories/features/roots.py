"""The root kappa(z) of z = kappa R1 R3, R1 = 1 - S(kappa)/P, R3 = 1 - S(kappa)/N, off the negative axis."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isinf

import numpy as np
from numpy.typing import NDArray

from normlaw_plugins.theories.features.modes import SUMMED, Modes
from normlaw_registry import NormlawError

Complex = NDArray[np.complex128]

RESIDUAL = 1e-12
"""Largest residual of z = kappa R1 R3, relative to z or as a relative error of kappa, that is a root."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """A spectrum seen through a width and a number of examples, either of which may be infinite."""

    modes: Modes
    examples: float
    width: float

    def at(self, kappa: Complex) -> tuple[Complex, Complex, Complex, Complex]:
        """Return R1, R3, z and dz/dkappa, each of the shape of kappa."""
        g = 1.0 / (kappa[..., None] + self.modes.lam)
        total = g @ self.modes.of_lam.astype(g.dtype)
        slope = -((g * g) @ self.modes.of_lam.astype(g.dtype))
        r1, r3 = 1.0 - total / self.examples, 1.0 - total / self.width
        rise = r1 * r3 - kappa * slope * (r3 / self.examples + r1 / self.width)
        return r1, r3, kappa * r1 * r3, rise

    def along(self, z: Complex) -> Complex:
        """Return kappa at each z, (curves, nodes), followed along each curve from its first point.

        A curve lies in the upper half plane and begins where |z| is largest on its right side. The root is
        the one in the cone 0 <= arg kappa <= arg z, which has one root only.

        Raises:
            NormlawError: it could not be followed to RESIDUAL.

        """
        found = np.empty_like(z)
        here = np.abs(z[:, 0]).astype(complex)
        kappa = self._real(np.abs(z[:, 0])).astype(complex)
        for node in range(z.shape[1]):
            kappa = self._followed(kappa, here, z[:, node])
            here = z[:, node]
            found[:, node] = kappa
        return found

    def _real(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return kappa at positive z, (n,), by bisection in ln kappa; z <= kappa <= z + trace (1/P + 1/N)."""
        low, high = z.copy(), z + self.modes.trace * (1.0 / self.examples + 1.0 / self.width)
        for _ in range(60):
            middle = np.sqrt(low * high)
            r1, r3, there, _slope = self.at(middle)
            above = (r1 > 0) & (r3 > 0) & (there >= z)
            high, low = np.where(above, middle, high), np.where(above, low, middle)
        return np.asarray(high)

    def _followed(self, kappa: Complex, start: Complex, end: Complex, depth: int = 0) -> Complex:
        """Return kappa at `end` from that at `start`, each (n,): Newton's method from the tangent in logs."""
        _, _, z, rise = self.at(kappa)
        found = kappa * np.exp(z / (kappa * rise) * np.log(end / start))
        for _ in range(30):
            _, _, z, rise = self.at(found)
            step = (z - end) / rise
            found = found - step
            if np.all(np.abs(step) <= 1e-15 * np.abs(found)):
                break
            if np.all(np.abs(step) <= 1e-9 * np.abs(found)):  # quadratic: this one was the last
                break
        angle = np.angle(found)
        _, _, z, rise = self.at(found)
        good = np.abs(z - end) <= RESIDUAL * np.maximum(np.abs(end), np.abs(rise * found))
        good &= (angle >= -1e-12) & (angle <= np.angle(end) + 1e-12)
        if np.all(good):
            return np.asarray(found)
        if depth == 12:
            raise NormlawError("the equation z = kappa R1 R3 could not be solved along the contour")
        bad = ~good
        middle = start[bad] * np.sqrt(end[bad] / start[bad])
        between = self._followed(kappa[bad], start[bad], middle, depth + 1)
        found[bad] = self._followed(between, middle, end[bad], depth + 1)
        return np.asarray(found)

    def ratio(self, kappa: Complex, z: Complex) -> Complex:
        """Return R1 at z, without cancellation where it is small."""
        r1, r3, _, _ = self.at(kappa)
        return z / (kappa * r3) if self.examples <= self.width else r1

    def gap(self) -> float:
        """Return the smallest eigenvalue but 0 of the kernel; 0 where there is no gap.

        It is the largest -z between the largest kappa at which z is 0 and the next zero or pole below it.
        """
        from scipy.optimize import minimize_scalar

        least, most = sorted((self.examples, self.width))
        high, last = self.zero(least), float(self.modes.lam.min())
        if high == 0.0:  # fewer modes than examples and width: kappa from -lam_min to 0
            if self.modes.count > SUMMED:
                return 0.0
            bounds = (self._turn(least, last), 0.0)
        else:
            low = self.zero(most) if most < inf else 0.0
            if low >= high * (1.0 - 1e-9):
                return 0.0
            bounds = (float(np.log(max(low, high * 1e-12))), float(np.log(high)))

        def at(x: float) -> float:
            kappa = last * np.expm1(x) if high == 0.0 else np.exp(x)
            return float(self.at(np.array([kappa]))[2][0])

        best = minimize_scalar(at, bounds=bounds, method="bounded", options={"xatol": 1e-12})
        return max(0.0, -float(best.fun))

    def _turn(self, most: float, last: float) -> float:
        """Return the x at which S(kappa) = most for kappa = last (e^x - 1), between -last and 0."""
        from scipy.optimize import brentq

        def excess(x: float) -> float:
            return float(np.sum(self.modes.of_lam / (last * np.expm1(x) + self.modes.lam))) / most - 1.0

        return -30.0 if isinf(most) else float(brentq(excess, -30.0, 0.0, xtol=1e-14))

    def zero(self, most: float) -> float:
        """Return the kappa at which S(kappa) = most; 0 where there are fewer modes than that."""
        from scipy.optimize import brentq

        def excess(log_kappa: float) -> float:
            return float(np.sum(self.modes.of_lam / (np.exp(log_kappa) + self.modes.lam))) / most - 1.0

        low = float(np.log(self.modes.lam.min())) - 60.0
        if isinf(most) or excess(low) <= 0.0:
            return 0.0
        return float(np.exp(brentq(excess, low, 60.0, xtol=1e-15, rtol=1e-15)))

    def edge(self) -> float:
        """Return the largest eigenvalue of the kernel, the least of -z over kappa below -1."""
        from scipy.optimize import minimize_scalar

        def at(log_gap: float) -> float:
            return float(-self.at(np.array([-1.0 - np.exp(log_gap)]))[2][0])

        if np.isinf(self.examples) and np.isinf(self.width):
            return 1.0
        return float(minimize_scalar(at, bounds=(-30.0, 10.0), method="bounded", options={"xatol": 1e-10}).fun)
