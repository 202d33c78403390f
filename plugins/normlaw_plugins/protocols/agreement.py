"""Are the predicted and the measured endpoint law the same?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from normlaw_plugins.protocols.student import difference_test
from normlaw_registry import AnalysisWarning, Estimate


def agreement(
    predicted: Estimate,
    measured: Estimate,
    difference_draws: NDArray[np.float64] | None = None,
    freedom: float = np.inf,
) -> dict[str, Any]:
    """Test gamma_pred = gamma_meas.

    Args:
        predicted: gamma_pred.
        measured: gamma_meas.
        difference_draws: bootstrap draws of gamma_pred - gamma_meas, which know how the two go together;
            without them the two count as independent.
        freedom: degrees of freedom of the standard errors, those that the intervals were made with.

    Returns:
        difference, its standard error (statistical and window parts in quadrature), z and the two-sided
        p-value of Student's t with that freedom: the distribution that the intervals rest on.

    """
    difference = predicted.value - measured.value
    if difference_draws is None:
        stderr = float(np.hypot(predicted.stderr, measured.stderr))
    else:
        finite = difference_draws[np.isfinite(difference_draws)]
        parts = (float(finite.std(ddof=1)), predicted.window or 0.0, measured.window or 0.0)
        stderr = float(np.linalg.norm(parts))
    return difference_test(difference, stderr, freedom)


def disagreement(test: dict[str, Any]) -> tuple[AnalysisWarning, ...]:
    """Return the warning that belongs to a p-value below 0.05."""
    if not test["p_value"] < 0.05:
        return ()
    return (
        AnalysisWarning(
            code="laws_disagree",
            message=f"gamma_pred - gamma_meas = {test['difference']:.3f} ± {test['stderr']:.3f} "
            f"(p = {test['p_value']:.2g}): the early law and the optimal norm do not explain the endpoint law",
        ),
    )
