"""Other responses than the test error: a loss above 1, what it exceeds a floor by, points chosen."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import normlaw
from normlaw.analysis import Options, analyse, command_line, render
from normlaw.analysis.curves import prepare
from normlaw.analysis.figures.captions import caption
from normlaw.cli.program import main
from normlaw.study.protocol_choice import OwnChoices
from normlaw.tracking import keys
from normlaw.tracking.client import connect
from normlaw.tracking.reader import find_experiment, search_runs
from normlaw_plugins.protocols.envelope_model.noise import counted
from normlaw_registry import InputError, Response, load_catalogue
from normlaw_tests.quick import QUICK
from normlaw_tests.tables import number

CATALOGUE = load_catalogue()
FLOOR = 1.69
LOSS = Options(protocol="envelope", response="test_loss", floor=FLOOR)
GAMMA_1, GAMMA_2 = 0.4, 0.9


@pytest.fixture(scope="module")
def curves(make_study):
    """Losses whose excess over the floor obeys the laws: from 9 down to 0.15."""
    study = make_study(gamma_1=GAMMA_1, gamma_2=GAMMA_2, seeds=3, points=30, ceiling=1.5, reach=4)
    return study.assign(test_loss=FLOOR + 5 * study["test_error"]).drop(columns="test_error")


@pytest.fixture(scope="module")
def analysis(curves):
    return analyse(curves, CATALOGUE, LOSS)


@pytest.mark.slow
def test_the_laws_of_the_excess_loss_are_found_with_its_floor_and_not_without(curves, analysis):
    assert curves["test_loss"].max() > 5
    expected = {"gamma_1": GAMMA_1, "gamma_2": GAMMA_2, "gamma_pred": GAMMA_1 * GAMMA_2}
    for name, value in {**expected, "gamma_meas": GAMMA_1 * GAMMA_2}.items():
        found = analysis.estimates()[name]
        assert abs(found.value - value) < max(3 * found.stderr, 0.02), name
        assert abs(found.value - value) < 0.08, name
    assert analysis.findings.verdict == "hold"
    without = analyse(curves, CATALOGUE, replace(LOSS, protocol="automatic", draws=100, floor=None))
    assert without.gamma_meas.high < GAMMA_1 * GAMMA_2 / 2


@pytest.mark.slow
def test_every_output_names_the_response(analysis):
    text = render(analysis)
    assert "response: excess test loss over the floor 1.69" in text
    assert "measured endpoint law: least excess loss ~ P^-gamma_meas" in text
    assert "std. error" in text
    assert analysis.to_dict()["response"] == {
        "quantity": "test_loss",
        "floor": FLOOR,
        "described": "excess test loss over the floor 1.69",
    }
    tables = analysis.tables()
    assert {"excess_test_loss", "log_excess_loss"} <= set(tables["mean_curves"].columns)
    assert not [
        (name, c) for name, table in tables.items() for c in table.columns if "error" in c and c != "stderr"
    ]
    assert caption("error_against_norm", analysis).startswith("Mean excess test loss against the norm")
    labels = {name: normlaw.plot(analysis, name).axes[0].get_ylabel() for name in ("endpoint_law", "departure")}
    assert labels == {
        "endpoint_law": r"least excess test loss $ΔL_\mathrm{opt}$",
        "departure": r"excess loss over envelope, $ΔL/ΔL_\mathrm{env}$",
    }
    assert normlaw.plot(analysis).axes[0].get_ylabel() == "excess test loss ΔL"


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_a_file_of_losses(curves, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few = curves[curves["seed"] < 2]
    few[["train_size", "seed", "log_norm", "test_loss"]].to_csv("losses.csv", index=False)
    asked = ["--curves", "losses.csv", "--response", "test_loss", "--floor", str(FLOOR)]
    further = [*QUICK, "--json", "found.json"]
    done = CliRunner().invoke(main, ["analyse", *asked, *further])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "found.json").read_text())["response"]["floor"] == FLOOR
    page = (tmp_path / "reports" / "losses" / "report.html").read_text()
    assert "--response test_loss --floor 1.69" in page
    assert "Laws of losses.csv, excess test loss over the floor 1.69" in page
    further = ["--protocol", "envelope", "--train-size", "1e6", "--hold-out", "0", "--json", "-"]
    done = CliRunner().invoke(main, ["predict", *asked, *further])
    assert done.exit_code == 0, done.output
    predicted = json.loads(done.output)
    least = 5 * 0.2 * (1 + GAMMA_1) * 1000 ** (-GAMMA_1 * GAMMA_2)  # of the law "turn" at P = 1000 * 1000
    assert predicted["response"] == {"quantity": "test_loss", "floor": FLOOR}
    assert predicted["predictions"][0]["excess_test_loss"] == pytest.approx(least, rel=0.25)
    done = CliRunner().invoke(main, ["analyse", "--curves", "losses.csv"])
    assert done.exit_code == 2
    assert "losses.csv, line 1: no column 'test_error'" in done.output


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_a_study_says_its_response_and_mlflow_names_it(curves, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = curves[["train_size", "seed", "log_norm", "test_loss"]]
    table.assign(test_error=0.5, measure="weight_norm").to_csv("both.csv", index=False)
    normlaw.import_curves("both.csv", "both")
    client = connect(None)
    experiment = find_experiment(client, "both")
    own = OwnChoices(
        protocol="automatic", params={"draws": 100}, response="test_loss", floor=FLOOR, from_train_size=2000
    )
    client.set_experiment_tag(experiment.experiment_id, keys.ANALYSIS, keys.analysis_tag(own))
    (result,) = normlaw.analyse("both")
    assert result.analysis.response == Response(quantity="test_loss", floor=FLOOR)
    assert result.analysis.curves["train_size"].min() == 2000
    (run,) = search_runs(client, experiment, "analysis")
    assert run.info.run_name == "laws of both, excess test loss over the floor 1.69"
    params = run.data.params
    assert (params["response"], params["floor"]) == ("test_loss", "1.69")
    same = normlaw.fit(normlaw.curves("both"))
    assert same.gamma_meas == result.analysis.gamma_meas


def test_points_at_the_floor_are_counted_and_a_floor_above_all_is_refused(curves):
    low = curves.copy()
    low.loc[low["train_size"] == 1000, "test_loss"] -= 1.6
    points, warnings = prepare(low, LOSS.measured)
    (told,) = [w for w in warnings if w.code == "at_floor"]
    gone = int((low["test_loss"] <= FLOOR).sum())
    assert gone > 0
    assert told.message.startswith(f"{gone} points of 3 runs have test loss at or below the floor 1.69")
    assert len(points) == len(low) - gone
    assert points["test_error"].min() > 0
    with pytest.raises(InputError, match="is the floor 100 too high\\? No test loss is above it"):
        analyse(curves, CATALOGUE, replace(LOSS, floor=100.0))


def test_the_optimum_of_a_loss_is_chosen_on_the_validation_loss(curves):
    both = curves.assign(validation_loss=curves["test_loss"].iloc[::-1].to_numpy(), validation_error=0.5)
    points, _ = prepare(both, LOSS.measured)
    expected = both["validation_loss"] - FLOOR
    assert sorted(points["validation_error"]) == pytest.approx(sorted(expected))
    errors, _ = prepare(both.assign(test_error=0.3))
    assert (errors["validation_error"] == 0.5).all()
    assert "test_loss" not in errors.columns


def test_norms_and_sizes_below_are_left_out_and_the_command_says_so(make_study):
    study = make_study(seeds=2)
    options = Options(protocol="automatic", draws=100, from_norm=float(np.exp(9)), from_train_size=2000)
    points = analyse(study, CATALOGUE, options).curves
    assert points["log_norm"].min() >= 9
    assert points["train_size"].min() == 2000
    kept = (study["log_norm"] >= 9) & (study["train_size"] >= 2000)
    assert len(points) == kept.sum()
    command = command_line(["s"], "n", replace(options, from_norm=2.0))
    assert "--from-norm 2.0 --from-train-size 2000" in command


def test_what_is_asked_for_goes_before_what_the_study_says():
    own = OwnChoices(response="test_loss", floor=FLOOR, from_norm=2.0, from_train_size=100)
    assert Options().within(own).measured == Response(quantity="test_loss", floor=FLOOR)
    assert Options(floor=1.0).within(own).measured == Response(quantity="test_loss", floor=1.0)
    assert Options(response="test_error").within(own).measured == Response()
    assert Options().within(own, own_norm=False).from_norm is None
    assert Options(from_norm=3.0).within(own).from_norm == 3.0
    assert keys.read_analysis_tag({keys.ANALYSIS: keys.analysis_tag(own)}) == own
    before = '{"params": {"draws": 7}, "protocol": "automatic"}'  # as earlier versions wrote it
    read = keys.read_analysis_tag({keys.ANALYSIS: before})
    assert read == OwnChoices(protocol="automatic", params={"draws": 7})


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ({"response": "test_los"}, "unknown quantity 'test_los'"),
        ({"response": "test_error", "floor": 1.0}, "number in \\[0, 1\\), got 1"),
        ({"response": "test_loss", "floor": -1.0}, "of at least 0, got -1"),
        ({"floor": float("nan")}, "got nan"),
        ({"from_norm": 0.0}, "from_norm must be a positive number"),
        ({"from_train_size": 0}, "from_train_size lies between"),
    ],
)
def test_choices_that_make_no_sense(choices, told):
    with pytest.raises(InputError, match=told):
        Options(**choices)


def test_norms_are_compared_by_the_loss(curves):
    """The loss lies on one curve in the norm it was made of; the test error, noise alone, on none."""
    noise = np.random.default_rng(0).uniform(0.3, 0.4, len(curves))
    both = curves.assign(test_error=noise, step=curves.groupby("run").cumcount() + 1)
    options = replace(LOSS, protocol="automatic", draws=100, compare_norms=True)
    table = analyse(both, CATALOGUE, options).added_tables["abscissas"].set_index("abscissa")
    assert number(table, "norm", "explained") > 0.9
    assert number(table, "norm", "explained") > number(table, "steps", "explained") + 0.1


@pytest.mark.parametrize("floor", [0.0, 0.05])
@pytest.mark.parametrize("mean", [0.08, 0.3])
def test_the_counting_part_is_that_of_a_test_set(mean, floor):
    """Against errors counted on 2,000 test sets of 5,000 examples."""
    generator, examples = np.random.default_rng(3), 5000
    errors = generator.binomial(examples, mean + floor, 2000) / examples - floor
    response = Response(floor=floor)
    expected = counted(np.log(np.array([mean])), response)[0] / examples
    assert np.log(errors).var() == pytest.approx(expected, rel=0.15)


def test_the_counting_part_of_a_loss_grows_as_that_of_rare_large_losses():
    """Examples with losses of order 1, as many as the mean says: var ln(mean loss) ~ 1/mean, above 1 too.

    An example has Poisson many losses, each exponential, so that those of all examples are as many again.
    """
    generator, examples = np.random.default_rng(4), 5000
    response = Response(quantity="test_loss")
    scales = []
    for mean in (0.1, 0.4, 1.6):
        sums = generator.gamma(generator.poisson(mean * examples, 20_000))
        scales.append(np.log(sums).var() / counted(np.log(np.array([mean])), response)[0])
    assert np.array(scales) * examples == pytest.approx([2.0, 2.0, 2.0], rel=0.05)


def test_a_frame_without_the_loss_is_told_so(make_study):
    with pytest.raises(InputError, match="curves lack the column 'test_loss'"):
        analyse(pd.DataFrame(make_study(seeds=1)), CATALOGUE, Options(response="test_loss"))
