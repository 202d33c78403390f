"""Largest singular value of a dense matrix, through the smaller of its two Gram matrices."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackNoConvergence, eigsh
from torch import Tensor

RESIDUAL = 1e-7
"""Relative residual at which ARPACK stops; the relative error of the singular value is at most half of it."""
CHUNK = 1 << 20
"""Entries held in float64 at a time: 8 MiB."""
SMALL = 64
"""Up to this size all of a Gram matrix's eigenvalues are computed, which takes no longer."""
KRYLOV_VECTORS = 8
"""Fastest of 6 to 40 on matrices of 192 to 512 rows; the default is 20."""


def largest_singular_value(matrix: Tensor) -> float:
    """Return the largest singular value of a real matrix (out, in), computed in float64.

    Squaring costs the largest singular value no accuracy, and squares of float32 entries neither over- nor
    underflow. ARPACK's restarted Lanczos method starts from a vector of its own, so that the answer depends
    on the matrix alone. NaN where an entry is not finite.
    """
    gram = _gram(matrix)
    squares = float(np.trace(gram))
    if squares == 0.0 or not math.isfinite(squares):
        return 0.0 if squares == 0.0 else math.nan
    return math.sqrt(_largest_eigenvalue(gram))


def _gram(matrix: Tensor) -> NDArray[np.float64]:
    """Return A A^T or A^T A, the smaller; a few MiB of A at a time."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    n = wide.shape[0]
    blocks = torch.split(wide, max(n, CHUNK // n), dim=1)  # each (n, columns)
    if matrix.device.type != "cpu":
        product = torch.zeros(n, n, dtype=torch.float64, device=matrix.device)
        for block in blocks:
            product.addmm_(block.double(), block.double().T)
        return product.cpu().numpy()
    gram: NDArray[np.float64] | None = None
    for block in blocks:
        columns = block.double().numpy()
        part = columns @ columns.T  # NumPy sees the symmetry and does half of the work (BLAS's syrk)
        gram = part if gram is None else np.add(gram, part, out=gram)
    assert gram is not None
    return gram


def _largest_eigenvalue(gram: NDArray[np.float64]) -> float:
    n = len(gram)
    if n > SMALL:
        start = np.random.default_rng(0).standard_normal(n)
        try:
            # ARPACK draws from `rng` when its Krylov space is exhausted: given one, the bits are the same.
            values, _ = eigsh(gram, 1, which="LA", v0=start, rng=0, tol=RESIDUAL, ncv=KRYLOV_VECTORS)
            return float(values[0])
        except ArpackNoConvergence:
            pass
    return float(np.linalg.eigvalsh(gram)[-1])
