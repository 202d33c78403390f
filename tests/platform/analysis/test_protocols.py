"""Protocols as components: an outsider's replaces the analysis whole, and parameters reach any of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from normlaw.analysis import About, Options, analyse, command_line, render, report, to_json
from normlaw.analysis.choosing import choose
from normlaw.analysis.figures import figures
from normlaw.study.protocol_choice import OwnChoices, parse_fitter, written_fitter
from normlaw_registry import (
    AnalysisProtocol,
    AnalysisWarning,
    Catalogue,
    Estimate,
    Findings,
    InputError,
    InvalidComponentError,
    NormlawError,
    Params,
    UnknownComponentError,
    load_catalogue,
)
from normlaw_registry.curves import run_optima
from normlaw_registry.host import PluginRecord
from normlaw_registry.host.fitting import default_protocol
from normlaw_registry.testing.protocol import synthetic_curves


class ShiftParams(Params):
    shift: float = 0.0


def four_numbers(curves, params, context) -> Findings:
    """Answer with the four exponents and nothing else."""
    numbers = {
        name: Estimate.normal(0.5 + params.shift, 0.1, context.confidence) for name in ("a", "b", "c", "d")
    }
    return Findings(
        gamma_1=numbers["a"], gamma_2=numbers["b"], gamma_pred=numbers["c"], gamma_meas=numbers["d"]
    )


def catalogue_with(analyse, **fields) -> Catalogue:
    mine = AnalysisProtocol(name="mine", summary="Mine", analyse=analyse, **{"params": ShiftParams, **fields})
    record = PluginRecord(name="guest", module="guest", distribution="guest", version="1", components=(mine,))
    return Catalogue.of([*load_catalogue().records, record])


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    return synthetic_curves().drop(columns="log_error")


@pytest.mark.slow
def test_four_numbers_are_enough_to_be_drawn_reported_and_written(curves) -> None:
    options = Options(protocol="mine", protocol_params={"shift": 0.25}, confidence=0.8)
    analysis = analyse(curves, catalogue_with(four_numbers), options)
    assert analysis.protocol == "mine"
    assert analysis.gamma_1.value == 0.75
    assert analysis.gamma_1.high - analysis.gamma_1.low == pytest.approx(2 * 0.1 * 1.2815515655446004)
    assert set(figures(analysis)) == {"error_against_norm", "collapse", "optimal_norm", "endpoint_law"}
    assert "80% interval" in render(analysis)
    assert "early window" not in render(analysis)
    assert "gamma_meas" in report(analysis, About())
    found = json.loads(to_json(analysis))
    assert (found["early_window"], found["first_train_size"], found["verdict"]) == (None, None, None)
    assert len(found["train_sizes"]) == 6
    pd.testing.assert_frame_equal(analysis.optima, run_optima(analysis.curves))


@pytest.mark.slow
def test_numbers_verdict_and_model_of_its_own_are_shown(curves) -> None:
    def judging(curves, params, context) -> Findings:
        def predict(train_sizes, log_norms):
            value = -0.4 * np.log(train_sizes)
            return pd.DataFrame(
                {"log_error": value, "log_error_low": value - 0.1, "log_error_high": value + 0.1}
            )

        return replace(
            four_numbers(curves, params, context),
            further={"gamma_0": Estimate.normal(0.3, 0.1, context.confidence, "slope of the envelope")},
            verdict="fail",
            reasons=(AnalysisWarning(code="bent", message="the optima lie on no line"),),
            predict=predict,
        )

    analysis = analyse(curves, catalogue_with(judging), Options(protocol="mine", predict_at=(64000,)))
    assert "slope of the envelope" in render(analysis)
    assert "verdict: the laws do not hold\n  bent: the optima lie on no line" in render(analysis)
    assert "the laws do not hold" in report(analysis, drawings={})
    assert analysis.numbers()["gamma_0"] == 0.3
    assert analysis.to_dict()["gamma_0_ci"] == [
        analysis.estimates()["gamma_0"].low,
        analysis.estimates()["gamma_0"].high,
    ]
    own = analysis.tables()["predictions"].set_index("fitter").loc["protocol mine"]
    assert own["test_error"] == pytest.approx(64000**-0.4)
    assert own["low"] == pytest.approx(64000**-0.4 * np.exp(-0.1))


def test_an_envelope_is_drawn_over_the_curves(curves) -> None:
    x = np.linspace(4.0, 10.0, 20)
    envelope = pd.DataFrame(
        {"log_norm": x, "log_error": -1.0 - 0.5 * x, "low": -1.1 - 0.5 * x, "high": -0.9 - 0.5 * x}
    )
    tables = {
        "envelope": envelope,
        "curves_fitted": pd.DataFrame({"train_size": 1000, "log_norm": x, "log_error": -0.9 - 0.5 * x}),
        "departures": pd.DataFrame({"train_size": [1000], "log_norm": [7.0], "low": [6.5], "high": [np.nan]}),
        "local_exponent": pd.DataFrame({"log_norm": x, "gamma_1": 0.5, "low": 0.4, "high": 0.6}),
    }
    mine = catalogue_with(lambda *given: replace(four_numbers(*given), tables=tables))
    drawn = figures(analyse(curves, mine, Options(protocol="mine")))
    lines = {line.get_label(): line for line in drawn["error_against_norm"].axes[0].lines}
    np.testing.assert_allclose(np.asarray(lines["envelope"].get_ydata()), np.exp(envelope["log_error"]))
    np.testing.assert_allclose(np.asarray(lines["envelope"].get_xdata()), x / np.log(10))
    assert "fitted" in lines
    (line, *_) = drawn["local_exponent"].axes[0].lines
    np.testing.assert_allclose(np.asarray(line.get_ydata()), 0.5)


def test_a_protocol_that_fails_is_named_with_its_plugin(curves) -> None:
    def broken(curves, params, context):
        return 1 / 0

    with pytest.raises(NormlawError, match=r"protocol 'mine' of guest 1 .* failed: ZeroDivisionError"):
        analyse(curves, catalogue_with(broken), Options(protocol="mine"))
    with pytest.raises(InvalidComponentError, match=r"'mine' of guest 1 .* must return Findings, got int"):
        analyse(curves, catalogue_with(lambda *_: 1), Options(protocol="mine"))
    lacking = catalogue_with(four_numbers, fitters=("no_such_line",))
    with pytest.raises(UnknownComponentError, match="protocol 'mine' needs the fitter 'no_such_line'"):
        analyse(curves.head(0), lacking, Options(protocol="mine"))


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"protocol": "mien"}, "unknown protocol 'mien': did you mean mine"),
        ({"protocol_params": {"shft": 1}}, "shft: unknown key, did you mean shift"),
        ({"draws": 200}, "protocol 'mine' has no parameter 'draws', which --draws sets"),
        ({"window": (None, 0.3)}, "no parameter 'window', which --window sets"),
        ({"offsets": True}, "no parameter 'offsets'"),
        ({"first_index": 0}, "no parameter 'first_index', which --first-index sets"),
        ({"protocol": "automatic", "draws": 200, "protocol_params": {"draws": 300}}, "draws is given twice"),
        ({"fitters": ["endpoint_power_law:cov=1"]}, "fitter 'endpoint_power_law': cov: unknown key"),
        ({"fitters": ["endpoint_power_law", "endpoint_power_law"]}, "is named twice"),
        ({"fitters": ["endpoint_power_law:errors"]}, "write KEY=VALUE"),
    ],
)
def test_a_choice_that_means_nothing_is_refused(curves, choices, message) -> None:
    with pytest.raises(InputError, match=message):
        analyse(curves, catalogue_with(four_numbers), Options(**{"protocol": "mine", **choices}))


def test_the_default_is_the_protocol_that_says_so_of_itself() -> None:
    assert default_protocol(load_catalogue()).name == "envelope"
    mine = catalogue_with(four_numbers, by_default=True)
    with pytest.raises(InputError, match=r"more than one protocol .* --protocol: 'envelope', 'mine'"):
        choose(Options(), mine)
    assert choose(Options(protocol="mine"), mine).protocol.name == "mine"
    guest = Catalogue.of(record for record in mine.records if record.name == "guest")
    assert choose(Options(), guest).protocol.name == "mine"
    alone = Catalogue.of(r for r in catalogue_with(four_numbers).records if r.name == "guest")
    with pytest.raises(InputError, match=r"no protocol is taken by default; .* --protocol: 'mine'"):
        choose(Options(), alone)
    with pytest.raises(InvalidComponentError, match="`by_default` must be True or False, got 'yes'"):
        catalogue_with(four_numbers, by_default="yes")


def test_an_option_and_the_parameter_of_its_name_are_one(curves) -> None:
    catalogue, automatic = load_catalogue(), Options(protocol="automatic", draws=150)
    by_option = analyse(curves, catalogue, replace(automatic, bootstrap_seed=3))
    params = {"draws": 150, "bootstrap_seed": 3}
    by_params = analyse(curves, catalogue, Options(protocol="automatic", protocol_params=params))
    assert by_option.estimates() == by_params.estimates()
    assert by_option.gamma_1.stderr != analyse(curves, catalogue, automatic).gamma_1.stderr


@pytest.mark.parametrize(
    ("choices", "protocol", "by"),
    [
        ({}, "envelope", None),
        ({"shift": 0.5}, "mine", "shift"),
        ({"first_index": 1, "shift": 0.5}, None, "--first-index of 'released'; shift of 'mine'"),
        ({"draws": 200, "bootstrap_seed": 1}, "automatic", "--draws and --bootstrap-seed"),
        ({"draws": 200, "offsets": True}, "automatic", "--offsets and --draws"),
        ({"window": (None, 0.3)}, "released", "--window"),
        (
            {"offsets": True},
            None,
            "--offsets: parameters of the protocols 'automatic' and 'released'",
        ),
        ({"draws": 200, "window": (None, 0.3)}, None, "--draws of 'automatic'; --window of 'released'"),
        ({"shft": 0.5}, None, "no protocol has a parameter 'shft': did you mean shift"),
    ],
)
def test_parameters_that_the_default_lacks_choose_the_protocol(choices, protocol, by) -> None:
    named = {name: choices.pop(name) for name in ("shift", "shft") if name in choices}
    options = Options(protocol_params=named, **choices)
    if protocol is None:
        with pytest.raises(InputError, match=by):
            choose(options, catalogue_with(four_numbers))
        return
    chosen = choose(options, catalogue_with(four_numbers))
    assert chosen.protocol.name == protocol
    told = [str(note) for note in chosen.notes]
    if by is None:
        assert told == []
    else:
        (text,) = told
        assert text.startswith(f"protocol_by_option: the protocol '{protocol}' was taken")
        assert text.endswith(f"has no {by}")


def test_a_command_of_the_version_before_is_analysed_and_says_by_what(curves) -> None:
    analysis = analyse(curves, load_catalogue(), Options(window=(0.01, 0.3)))
    assert (
        analysis.estimates()
        == analyse(curves, load_catalogue(), Options(protocol="released", window=(0.01, 0.3))).estimates()
    )
    assert "warning protocol_by_option: the protocol 'released' was taken" in render(analysis)
    assert "protocol_by_option" in {w["code"] for w in analysis.to_dict()["warnings"]}


def test_a_study_s_protocol_gives_way_to_what_is_asked_for() -> None:
    own = OwnChoices(protocol="released", params={"window": [None, 0.3], "first_index": 1})
    assert Options().within(None) == Options()
    assert Options().within(own) == Options(protocol="released", protocol_params=own.params)
    some = Options(first_index=2, protocol_params={"gamma2_first_index": 1}).within(own)
    assert some.protocol_params == {"window": [None, 0.3], "gamma2_first_index": 1}
    assert some.flags() == {"first_index": 2}
    assert Options(protocol="automatic").within(own) == Options(protocol="automatic")


def test_the_command_that_repeats_an_analysis_has_its_parameters() -> None:
    options = Options(
        protocol="released",
        protocol_params={"window": [None, 0.3]},
        fitters={"endpoint_m4": {}, "early_power_law": {"errors": "ordinary"}},
    )
    assert command_line(["s"], "n", options) == (
        "normlaw analyse s --norm n --protocol released --set 'window=[null, 0.3]' "
        "--fitter endpoint_m4 --fitter 'early_power_law:errors=\"ordinary\"'"
    )
    for name, params in options.named_fitters():
        assert parse_fitter(written_fitter(name, params)) == (name, params)


@pytest.mark.slow
def test_fitters_take_parameters(curves) -> None:
    catalogue = load_catalogue()
    asked = Options(protocol="automatic", draws=100)
    ordinary = analyse(curves, catalogue, replace(asked, fitters=["early_power_law:errors=ordinary"]))
    clustered = analyse(curves, catalogue, replace(asked, fitters={"early_power_law": {}}))
    one, other = (a.findings.fits["early_power_law"] for a in (ordinary, clustered))
    assert one.params["gamma_1"] == other.params["gamma_1"]
    assert one.bse["gamma_1"] != other.bse["gamma_1"]


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["automatic", "released"])
def test_every_interval_has_the_level_asked_for(curves, protocol) -> None:
    params = {"window": [0.01, 0.3]} if protocol == "released" else {"draws": 100}
    choices = {
        "protocol": protocol,
        "protocol_params": params,
        "fitters": ["endpoint_m4", "early_floor_power_law"],
    }
    half, most = (analyse(curves, load_catalogue(), Options(confidence=c, **choices)) for c in (0.5, 0.99))
    assert "50% limits" in render(half)
    page = report(half, drawings={})
    assert re.search(r"\[0\.25 +0\.75\]", page)  # statsmodels' own table
    assert "0.025" not in "".join(line for line in page.splitlines() if "std err" in line)
    for name, fit in half.findings.fits.items():
        limits = fit.conf_int(0.5)
        stated = half.to_dict()["fits"][name]["conf_int"]
        assert list(stated) == [str(parameter) for parameter in fit.params.index]
        np.testing.assert_allclose(list(stated.values()), limits.to_numpy())
        assert stated != most.to_dict()["fits"][name]["conf_int"]
    rows = half.tables()["fitters"].merge(most.tables()["fitters"], on=["fitter", "parameter"])
    width = (rows["high_x"] - rows["low_x"]).to_numpy(), (rows["high_y"] - rows["low_y"]).to_numpy()
    assert (width[0] <= width[1]).all()
    assert (width[0] < width[1]).any()
