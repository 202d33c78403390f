"""Fits by fitters that the user names."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from normlaw.analysis import Options, analyse, command_line, render
from normlaw.analysis.extrapolation import endpoint_fits
from normlaw_registry import (
    Catalogue,
    Fitter,
    InputError,
    NormlawError,
    UnknownComponentError,
    hookimpl,
    load_catalogue,
    validate_params,
)
from normlaw_registry.host import inspect_plugin


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    """Return curves with gamma_1 = 0.3 and gamma_2 = 0.5, so that the least error falls as P^-0.15."""
    generator = np.random.default_rng(0)
    rows = []
    for size in (100, 200, 400, 800, 1600):
        for seed in range(3):
            x = np.linspace(-3.0, 1.0, 41)  # log norm about the optimum
            log_error = -0.3 * (x + 0.5 * np.log(size)) + 0.3 * np.exp(x) + 0.01 * seed
            log_error += 0.002 * generator.standard_normal(len(x))
            frame = {"train_size": size, "seed": seed, "log_norm": x + 0.5 * np.log(size)}
            rows.append(pd.DataFrame({**frame, "test_error": 0.5 * np.exp(log_error)}))
    return pd.concat(rows, ignore_index=True)


def test_a_named_fit_is_that_of_the_protocols_points(curves) -> None:
    names = ("early_power_law", "optimal_norm_power_law", "endpoint_power_law")
    options = Options(protocol="automatic", draws=100)
    analysis = analyse(curves, load_catalogue(), replace(options, fitters=names))
    plain = analyse(curves, load_catalogue(), options)
    table = analysis.tables()["fitters"]
    assert list(table.columns) == ["fitter", "law", "parameter", "value", "stderr", "low", "high"]
    for name in names:  # these three the protocol reports by itself
        rows = table[table["fitter"] == name].set_index("parameter")
        assert rows["value"].to_dict() == plain.findings.fits[name].params.to_dict()
        assert rows["stderr"].to_dict() == plain.findings.fits[name].bse.to_dict()
    assert "fits by the fitters named" in render(analysis)
    assert analysis.gamma_1 == plain.gamma_1


@pytest.mark.slow
def test_a_fitter_of_ones_own_is_reported(curves) -> None:
    options = Options(protocol="automatic", draws=100, fitters=("endpoint_floor_power_law",))
    analysis = analyse(curves, load_catalogue(), options)
    assert "endpoint_floor_power_law" in analysis.to_dict()["fits"]
    assert {"fitter", "parameter", "value"} <= analysis.to_dict()["fitters"][0].keys()


def test_the_command_that_repeats_it_names_the_fitters() -> None:
    line = command_line(["tiny"], "weight_norm", Options(fitters=("mine", "yours")))
    assert line == "normlaw analyse tiny --norm weight_norm --fitter mine --fitter yours"


def test_a_wrong_fitter_is_told_before_anything_is_fitted(curves) -> None:
    alone = curves[curves["train_size"] == 100]  # to which no law can be fitted
    with pytest.raises(UnknownComponentError, match="did you mean endpoint_power_law"):
        analyse(alone, load_catalogue(), Options(fitters=("endpoint_powerlaw",)))
    with pytest.raises(InputError, match="draws: unknown key"):
        analyse(alone, load_catalogue(), Options(fitters=("endpoint_m4:draws=3",)))


class Broken:
    @hookimpl
    def normlaw_fitters(self):
        def fit(points, params):
            raise ZeroDivisionError("oops")

        yield Fitter(name="broken", summary="Fails", law="endpoint_law", fit=fit)


@pytest.fixture
def with_broken() -> Catalogue:
    return Catalogue.of([*load_catalogue().records, inspect_plugin(Broken())])


def test_a_fitter_that_fails_is_named_with_its_plugin(curves, with_broken) -> None:
    with pytest.raises(NormlawError, match=r"fitter 'broken' of .*Broken.* failed: ZeroDivisionError: oops"):
        analyse(curves, with_broken, Options(protocol="automatic", draws=100, fitters=("broken",)))


def test_a_fitter_that_fails_takes_no_other_endpoint_law_along(with_broken) -> None:
    optima = pd.DataFrame({"run": list("abcd"), "train_size": [100, 200, 400, 800]})
    optima["log_error"] = -0.5 * np.log(optima["train_size"]) + [0.01, 0.0, -0.01, 0.0]
    fits, failures = endpoint_fits(optima, with_broken)
    assert failures["broken"].endswith("failed: ZeroDivisionError: oops")
    assert fits["endpoint_power_law"].params["gamma_meas"] == pytest.approx(0.5, abs=0.02)


def test_a_parameter_that_ends_a_hair_above_its_bound_is_fitted() -> None:
    log_error = [-0.787155, -0.872349, -0.825968, -0.899585, -0.992617, -1.123329, -1.463412, -1.396108]
    points = pd.DataFrame({"run": list("abcdefgh"), "log_error": log_error})
    points["train_size"] = np.repeat([32, 64, 128, 256], 2)
    fitter = load_catalogue().get(Fitter, "endpoint_exponential")
    result = fitter.fit(points, validate_params(fitter, {}))
    assert np.isfinite(result.bse).all()
