"""The theory against students found by minimising the loss on the sphere, N = 400."""

from __future__ import annotations

from math import acos, pi, sqrt

import numpy as np
import pytest
from scipy.optimize import minimize

from normlaw_plugins.theories.replica.losses import LOSSES
from normlaw_plugins.theories.replica.saddle_point import solve

N = 400


def student_of_least_loss(loss: str, alpha: float, norm: float, rng: np.random.Generator) -> float:
    """Return the overlap R of the minimiser over |w|^2 = N with a teacher drawn by `rng`."""
    teacher = rng.standard_normal(N)
    inputs = rng.standard_normal((round(alpha * N), N))
    margins_of = np.sign(inputs @ teacher)[:, None] * inputs  # y x, (P, N)

    def energy(v: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the mean loss of w = sqrt(N) v/|v| and its gradient by v."""
        length = float(np.linalg.norm(v))
        direction = v / length
        z = norm * (margins_of @ direction)  # lambda y w.x/sqrt(N)
        if loss == "logistic":
            value, slope = np.logaddexp(0.0, -2.0 * z), -2.0 / (1.0 + np.exp(np.minimum(2.0 * z, 700.0)))
        else:
            value, slope = 0.5 * (1.0 - z) ** 2, z - 1.0
        gradient = norm * (slope @ margins_of) / len(z)
        return float(value.mean()), (gradient - (gradient @ direction) * direction) / length

    found = minimize(
        energy,
        margins_of.mean(axis=0) * sqrt(N),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 30},
    )
    return float(found.x @ teacher / (np.linalg.norm(found.x) * np.linalg.norm(teacher)))


@pytest.mark.parametrize(
    ("loss", "alpha", "norm"),
    [("logistic", 0.5, 1.0), ("logistic", 2.0, 2.0), ("logistic", 4.0, 12.0), ("square", 2.0, 0.8)],
)
@pytest.mark.slow
def test_the_mean_error_agrees_within_four_standard_errors(loss: str, alpha: float, norm: float) -> None:
    rng = np.random.default_rng(20)
    errors = [acos(student_of_least_loss(loss, alpha, norm, rng)) / pi for _ in range(16)]
    predicted = float(solve(LOSSES[loss], [alpha], [norm]).error[0, 0])
    standard_error = np.std(errors, ddof=1) / sqrt(len(errors))
    assert standard_error < 0.015 * predicted  # or four of them would prove little
    assert abs(np.mean(errors) - predicted) < 4.0 * standard_error
