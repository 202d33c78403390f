"""Where fits come to rest: at the mode of the marginal density, with each run's departure where it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from normlaw.analysis.curves import prepare
from normlaw_plugins.protocols.envelope_model import fitting, search
from normlaw_plugins.protocols.envelope_model.fitting import AT_REST, COMPARED, Fit
from normlaw_plugins.protocols.envelope_model.marginal import tilt_at
from normlaw_plugins.protocols.envelope_model.noise import noise_of
from normlaw_plugins.protocols.envelope_model.parameters import GAMMA_0
from normlaw_plugins.protocols.envelope_model.priors import FREE, SAME
from normlaw_plugins.protocols.envelope_model.runs import runs_of
from normlaw_plugins.protocols.envelope_model.search import fit
from normlaw_tests.law_families import draw, thinned


def left(f: Fit) -> float:
    """Return what the marginal density promises to gain from a fit's place on."""
    here = f.at_hand
    gradient = here.gradient - here.prior.tilt + tilt_at(f.shape, f.theta, f.run_shifts, here)
    return float(0.5 * gradient @ np.linalg.solve(here.curvature, gradient))


@pytest.mark.slow
@pytest.mark.parametrize(("family", "rest"), [("straight", COMPARED * AT_REST), ("gamma_0", AT_REST)])
def test_a_fit_rests_where_the_marginal_density_has_nothing_more_to_gain(family, rest) -> None:
    """Also along parameters that data leave open, here where the envelope begins, left of all curves."""
    f = fit(runs_of(prepare(thinned(draw(family, 0)[0]))[0]))
    assert left(f) < 1.1 * rest


@pytest.mark.slow
def test_a_climb_that_goes_astray_ends_where_it_was_nearest_to_rest(monkeypatch) -> None:
    runs = runs_of(prepare(thinned(draw("straight", 2)[0]))[0])
    begun = search._starts(runs, noise_of(runs), SAME)[0]
    named = replace(begun.named, precision=begun.named.precision.copy())
    named.precision[GAMMA_0] = FREE**-2.0  # the slope of the volume, held, leads on and on from here
    monkeypatch.setattr(fitting, "LAST_CLIMBS", 5)
    assert left(fitting.at_mode(replace(begun, named=named))) < left(replace(begun, named=named))


@pytest.mark.slow
def test_a_run_that_departs_far_from_the_others_is_found_there() -> None:
    runs = runs_of(prepare(thinned(draw("small", 0)[0], seeds=3))[0])
    alike = fit(runs)
    row, by = len(runs.x) // 2, 1.2  # one run of a middle size, as it would be with a departure so much later
    one = by * np.eye(len(runs.x))[row]
    before, behind = (
        alike.shape(alike.theta, shifts).fitted[row] for shifts in (alike.run_shifts, alike.run_shifts + one)
    )
    error = runs.error.copy()
    error[row] *= np.exp(behind - before)
    displaced = fit(replace(runs, error=error))
    first, then = (f.run_shifts[row] + f.theta[f.shape.shifts][runs.size_of[row]] for f in (alike, displaced))
    assert then - first == pytest.approx(by, abs=0.15)  # the prior draws it to the others
