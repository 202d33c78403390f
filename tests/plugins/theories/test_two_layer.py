"""The component `two_layer`: what it answers and what it refuses."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from normlaw.cli.program import main
from normlaw.study.spec import RunSpec
from normlaw.training.loop import train
from normlaw_plugins.theories.two_layer import TWO_LAYER, TwoLayerParams
from normlaw_registry import InputError, load_catalogue


def errors(alphas: list[float], **params) -> list[float]:
    points = TWO_LAYER.points(TwoLayerParams.model_validate(params), {"alpha": alphas})
    return [point["test_loss"] for point in points]


def test_what_else_is_asked_for_changes_nothing() -> None:
    """Few order parameters, and many: each has an integrator of its own."""
    for params in ({"L": 4}, {"L": 48, "N": 10_000}):
        together = errors([20.0, 0.0, 3.0, 9.0], **params)
        assert errors([9.0], **params)[0] == pytest.approx(together[3], rel=1e-6)
        assert errors([0.0], **params)[0] == pytest.approx(together[1], rel=1e-12)


def test_the_start_is_that_of_its_overlaps() -> None:
    (point,) = TWO_LAYER.points(TwoLayerParams(initial_size=0.5, initial_overlap=0.5), {"alpha": [0.0]})
    assert point["norm"] == pytest.approx(0.5 * 2**0.5)
    assert point["uncertainty"] == 0.0
    assert errors([0.0], initial_size=1.0, initial_overlap=1.0)[0] == pytest.approx(0.0, abs=1e-15)
    assert errors([10.0], initial_size=1.0, initial_overlap=1.0)[0] == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(InputError, match=re.escape("initial_size = 0.1 cannot overlap")):
        errors([1.0], initial_overlap=0.2)


def test_a_seed_is_a_start_of_its_own() -> None:
    first, again, other = errors([0.0, 5.0], seed=1), errors([0.0, 5.0], seed=1), errors([0.0, 5.0], seed=2)
    assert first == again
    assert first[0] != other[0]


@pytest.mark.parametrize("params", [{"K": 3}, {"activation": "linear"}, {"K": 1, "M": 1}])
def test_there_is_a_plateau_only_where_students_match_teachers(params) -> None:
    plateau = TWO_LAYER.compared["plateau"].value
    assert plateau(TwoLayerParams(), {}) == pytest.approx(0.0058054202, abs=5e-11)
    with pytest.raises(InputError, match="K = M > 1"):
        plateau(TwoLayerParams.model_validate(params), {})


def test_the_curve_rests_on_its_plateau() -> None:
    """Isotropic inputs and a small learning rate: within 2 % from alpha = 20/eta to 40/eta."""
    low, high = errors([400.0, 800.0], L=1, eta=0.05, seed=3, N=100_000)
    plateau = TWO_LAYER.compared["plateau"].value(TwoLayerParams(), {})
    assert low == pytest.approx(plateau, rel=0.06)
    assert high == pytest.approx(plateau, rel=0.06)


def test_a_spectrum_as_wide_as_the_inputs_is_refused() -> None:
    with pytest.raises(InputError, match=re.escape("eta lambda_1/N = 0.304 is not small")):
        errors([1.0], L=1000, beta=1.0, eta=0.5)


def test_an_error_that_has_almost_gone_is_followed_with_finer_steps() -> None:
    """Isotropic inputs: the last decay is exponential, so that its log falls by equal parts in equal times."""
    errors_of = np.log(errors([700.0, 800.0, 900.0, 1000.0], L=1))
    assert errors_of[-1] < np.log(1e-8)
    assert np.diff(errors_of) == pytest.approx([np.diff(errors_of).mean()] * 3, rel=0.02)


# What it says of trained runs

RUN = {
    "architecture": "committee",
    "architecture.K": "2",
    "architecture.M": "None",
    "architecture.activation": "erf",
    "architecture.initial_size": "0.1",
    "dataset": "committee_teacher",
    "dataset.M": "2",
    "dataset.activation": "erf",
    "dataset.beta": "1.0",
    "dataset.L": "4",
    "dataset.N": "400",
    "loss": "squared",
    "trainer.name": "descent",
    "optimizer.name": "sgd",
    "optimizer.learning_rate": "0.00125",
    "optimizer.momentum": "0.0",
    "optimizer.weight_decay": "0.0",
    "learning_rate_schedule.name": "constant",
    "sampling": "one_pass",
    "batch_size": "1",
    "train_size": "40000",
    "seed": "7",
}


def test_it_knows_where_a_trained_run_is_to_lie() -> None:
    assert TWO_LAYER.of_run is not None
    found = TWO_LAYER.of_run(RUN)
    assert found is not None
    assert (dict(found.held), found.axis, found.per_step) == ({}, "alpha", 1 / 400)
    params = TwoLayerParams.model_validate(dict(found.params))
    assert (params.eta, params.N, params.seed, params.start) == (1.0, 400, 7, "run")
    wider = {"architecture.K": "3", "architecture.M": "2"}
    assert TWO_LAYER.of_run({**RUN, **wider}) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": "2"},
        {"sampling": "epochs"},
        {"loss": "cross_entropy"},
        {"optimizer.momentum": "0.9"},
        {"learning_rate_schedule.name": "cosine"},
        {"architecture.activation": "linear"},
        {"architecture.K": "3"},
        {"dataset": "power_law_regression"},
    ],
)
def test_it_is_not_about_other_runs(changes: dict[str, str]) -> None:
    assert TWO_LAYER.of_run is not None
    assert TWO_LAYER.of_run({**RUN, **changes}) is None


def test_it_starts_from_the_weights_that_a_run_starts_from() -> None:
    """The network as the platform builds it, with the exact loss of the run's own data set."""
    catalogue = load_catalogue()
    tree = {
        "architecture": {"name": "committee", "params": {"K": 3, "M": 2, "initial_size": 0.4}},
        "dataset": {"name": "committee_teacher", "params": {"M": 2, "N": 48, "L": 4}},
        "loss": "squared",
        "optimizer": {"name": "sgd", "learning_rate": 0.0005},
        "sampling": "one_pass",
        "batch_size": 1,
        "train_size": 1,
        "measures": ["weight_norm"],
        "seed": 5,
    }
    spec = RunSpec.model_validate(tree).resolved(catalogue)
    first = train(spec, catalogue, folder=Path())[0]
    params = {"K": 3, "M": 2, "N": 48, "L": 4, "eta": 0.01, "seed": 5, "initial_size": 0.4}
    theirs, other = (
        TWO_LAYER.points(TwoLayerParams.model_validate({**params, "start": start}), {"alpha": [0.0]})[0]
        for start in ("run", "drawn")
    )
    assert theirs["test_loss"] == pytest.approx(first["test/loss"] / 2, rel=1e-6)
    assert theirs["norm"] == pytest.approx(np.exp(first["log_norm/weight_norm"]), rel=1e-6)
    assert other["norm"] != pytest.approx(theirs["norm"], rel=1e-6)


@pytest.mark.slow
def test_the_commands_of_the_page_put_trained_networks_on_exact_curves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fewer runs and steps than the page has; curves of one size need no laws."""
    page = (Path(__file__).parents[3] / "docs" / "two_layer.md").read_text()
    block = page.partition("<!-- commands: trained -->\n```sh\n")[2].partition("```")[0]
    run, analyse = (shlex.split(line)[1:] for line in block.splitlines())
    assert analyse == ["analyse", "two_layer-small"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    fewer = ["--set=train_size=300", "--set=seed={count: 2}", "--max-parallel", "1"]
    trained = CliRunner().invoke(main, [*run, *fewer])
    assert trained.exit_code == 0, trained.output
    found = CliRunner().invoke(main, analyse)
    assert found.exit_code == 0, found.output
    assert "trained runs against the theory two_layer" in found.output
    folder = tmp_path / "reports" / "two_layer-small" / "against_two_layer"
    drawn = {path.stem for path in (folder / "figures").iterdir()}
    assert drawn == {"test_loss_against_alpha", "norm_against_alpha", "test_loss_against_norm"}
    assert (folder / "report.html").read_text().count('<img src="data:') == 3
