"""The floor of the loss: of exact laws it is found, and no other point of a fine grid has a smaller loss."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from normlaw.analysis.scaling_collapse.floor import _mean_huber, fit_floor

SCALE = np.geomspace(1e6, 1e9, 8)


@pytest.mark.parametrize(("level", "slope", "floor"), [(0.5, 0.3, 1.69), (3.0, 0.05, 0.2), (1.0, 0.8, 0.0)])
def test_the_floor_of_an_exact_law_is_found(level: float, slope: float, floor: float) -> None:
    z = SCALE / np.exp(np.log(SCALE).mean())
    found = fit_floor(SCALE, level * z**-slope + floor)
    assert found == pytest.approx([np.log(level), slope, floor], abs=2e-3)


def test_one_loss_that_is_off_hardly_moves_it() -> None:
    z = SCALE / np.exp(np.log(SCALE).mean())
    loss = 0.5 * z**-0.3 + 1.0
    loss[3] *= 1.1
    assert fit_floor(SCALE, loss)[2] == pytest.approx(1.0, abs=0.01)


def test_nothing_on_a_fine_grid_is_better() -> None:
    rng = np.random.default_rng(0)
    z = SCALE / np.exp(np.log(SCALE).mean())
    loss = (0.5 * z**-0.3 + 1.0) * np.exp(0.01 * rng.normal(size=len(z)))
    x, y = np.log(z), np.log(loss)
    best = _mean_huber(fit_floor(SCALE, loss), x, y)[0]
    grid = [
        _mean_huber(np.array([level, slope, floor]), x, y)[0]
        for level in np.linspace(-1.5, 0.5, 20)
        for slope in np.linspace(0.05, 0.6, 20)
        for floor in np.linspace(0.5, 1.2, 20)
    ]
    assert best <= min(grid) + 1e-9


def test_no_loss_makes_it_overflow() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for loss in ([5.0, 1.0, 0.1, 1e-3, 1e-6, 1e-9, 1e-12, 1e-15], [1.0] * 8, [1.0, 2, 3, 4, 5, 6, 7, 8]):
            assert np.isfinite(fit_floor(np.geomspace(1, 1e20, 8), np.array(loss))).all()
