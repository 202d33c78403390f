"""Slopes and pull of all examples in one pass over them, compiled.

Two matrix-vector products read the examples twice, and even on blocks that stay in the cache between both
uses numpy takes 2 to 3 times what reading them takes. Here twelve rows at a time are multiplied by v and,
while they are in the cache, added up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np

from normlaw.training.linear.margins import Array, Rows

ROWS = 12
"""Rows taken at once: with fewer, the sums of the pull are read and written more often."""


def one_pass(  # noqa: C901, PLR0912  # a compiled kernel: its loops share the rows that are in the cache
    rows: Rows, v: Array, margins: Array, gathered: Array
) -> tuple[float, float]:
    """Write the margins z_i = a_i.v and sum_i s_i a_i, the slopes s_i = sigma(-2 z_i) in units of e^(-2m).

    Sums are in float64, in an order that depends on the machine.

    Args:
        rows: a, (P, N), contiguous; those in float32 are taken as float64.
        v: (N,).
        margins: is filled with z, (P,).
        gathered: is filled with sum_i s_i e^(2m) a_i, (N,).

    Returns:
        m = max(0, least margin), and sum_i s_i e^(2m).

    """
    P, N = rows.shape
    gathered[:] = 0.0
    shift, total, rest = math.inf, 0.0, 0.0  # rest is e^(-2m)
    slopes = np.empty(ROWS)
    for i in range(0, P, ROWS):
        count = min(ROWS, P - i)
        if count == ROWS:
            a0, a1, a2, a3 = rows[i], rows[i + 1], rows[i + 2], rows[i + 3]  # (N,) each
            a4, a5, a6, a7 = rows[i + 4], rows[i + 5], rows[i + 6], rows[i + 7]
            a8, a9, a10, a11 = rows[i + 8], rows[i + 9], rows[i + 10], rows[i + 11]
            z0 = z1 = z2 = z3 = z4 = z5 = z6 = z7 = z8 = z9 = z10 = z11 = 0.0
            for j in range(N):
                x = v[j]
                z0, z1, z2, z3 = z0 + a0[j] * x, z1 + a1[j] * x, z2 + a2[j] * x, z3 + a3[j] * x
                z4, z5, z6, z7 = z4 + a4[j] * x, z5 + a5[j] * x, z6 + a6[j] * x, z7 + a7[j] * x
                z8, z9, z10, z11 = z8 + a8[j] * x, z9 + a9[j] * x, z10 + a10[j] * x, z11 + a11[j] * x
            margins[i], margins[i + 1], margins[i + 2], margins[i + 3] = z0, z1, z2, z3
            margins[i + 4], margins[i + 5], margins[i + 6], margins[i + 7] = z4, z5, z6, z7
            margins[i + 8], margins[i + 9], margins[i + 10], margins[i + 11] = z8, z9, z10, z11
        else:
            for k in range(i, P):
                z = 0.0
                for j in range(N):
                    z += rows[k, j] * v[j]
                margins[k] = z
        least = shift
        for k in range(i, i + count):
            least = min(least, margins[k])
        least = max(0.0, least)
        if least < shift:  # the unit changes, and with it what was added up so far
            factor = math.exp(2.0 * (least - shift))
            total *= factor
            for j in range(N):
                gathered[j] *= factor
            shift, rest = least, math.exp(-2.0 * least)
        for k in range(count):
            slopes[k] = 1.0 / (math.exp(2.0 * (margins[i + k] - shift)) + rest)
            total += slopes[k]
        if count == ROWS:
            s0, s1, s2, s3, s4, s5 = slopes[0], slopes[1], slopes[2], slopes[3], slopes[4], slopes[5]
            s6, s7, s8, s9, s10, s11 = slopes[6], slopes[7], slopes[8], slopes[9], slopes[10], slopes[11]
            for j in range(N):
                gathered[j] += (
                    (s0 * a0[j] + s1 * a1[j] + s2 * a2[j] + s3 * a3[j])
                    + (s4 * a4[j] + s5 * a5[j] + s6 * a6[j] + s7 * a7[j])
                    + (s8 * a8[j] + s9 * a9[j] + s10 * a10[j] + s11 * a11[j])
                )
        else:
            for k in range(count):
                for j in range(N):
                    gathered[j] += slopes[k] * rows[i + k, j]
    return shift, total


@cache
def compiled_one_pass() -> Callable[[Rows, Array, Array, Array], tuple[float, float]]:
    """Return `one_pass` compiled at its first call, kept on disk where a folder can be written to.

    Sums may be reordered and products fused into them, as vector instructions need it; infinities and NaN
    keep their meaning.
    """
    options: dict[str, Any] = {"fastmath": {"reassoc", "contract", "nsz"}, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(one_pass)  # type: ignore[no-any-return]
    except RuntimeError:  # neither this file's folder nor the user's own cache can be written to
        return numba.njit(**options)(one_pass)  # type: ignore[no-any-return]
