"""The (2,1) norm of a linear map as it is applied, from its kernel; imports torch."""

from __future__ import annotations

from normlaw_plugins.complexity.geometry import squares_of_rows
from normlaw_registry import LinearMap


def applied_group_norm(linear_map: LinearMap, reference: LinearMap | None = None) -> float:
    """Return ||A^T - M^T||_{2,1}: the sum of the 2-norms of the rows of the map's own matrix.

    Args:
        linear_map: A.
        reference: M, a map of the same geometry; zero by default.

    """
    total = sum(float(squares.sqrt().sum()) for squares in squares_of_rows(linear_map, reference))
    return total * linear_map.positions
