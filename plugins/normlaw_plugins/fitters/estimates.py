"""A fit's estimates in JSON's own types."""

from __future__ import annotations

from typing import Any

from normlaw_registry import FitResult


def as_dict(result: FitResult) -> dict[str, Any]:
    """Return estimates, standard errors, 95 % limits and number of points; keys are the parameters' names."""
    limits = result.conf_int()
    return {
        "params": {str(k): float(v) for k, v in result.params.items()},
        "bse": {str(k): float(v) for k, v in result.bse.items()},
        "conf_int": {
            str(k): [float(low), float(high)]
            for k, low, high in zip(limits.index, limits[0], limits[1], strict=True)
        },
        "nobs": result.nobs,
    }
