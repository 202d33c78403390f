"""Limits and tests by Student's t, so that both rest on one distribution."""

from __future__ import annotations

import numpy as np

from normlaw_registry import Estimate


def estimate_of(
    value: float, statistical: float, choices: float, confidence: float, freedom: float, definition: str = ""
) -> Estimate:
    """Return a value with its standard error and limits.

    Args:
        value: the value.
        statistical: standard error from the scatter of runs.
        choices: that from choices of the fit, added in quadrature.
        confidence: level of the limits.
        freedom: degrees of freedom of the standard error.
        definition: of the value, for the report.

    """
    from scipy import stats

    stderr = float(np.hypot(statistical, choices))
    reach = float(stats.t.ppf(0.5 + confidence / 2, freedom)) * stderr
    return Estimate(
        value=value,
        stderr=stderr,
        low=value - reach,
        high=value + reach,
        statistical=statistical,
        window=choices,
        definition=definition,
    )


def difference_test(difference: float, stderr: float, freedom: float) -> dict[str, float]:
    """Return a difference, its standard error, z, and the two-sided p-value of its being 0."""
    from scipy import stats

    z = difference / stderr if stderr > 0 else float("nan")
    p_value = float(2 * stats.t.sf(abs(z), freedom))
    return {"difference": difference, "stderr": stderr, "z": z, "p_value": p_value}
