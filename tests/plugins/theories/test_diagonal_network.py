"""The component `diagonal_network`: what it answers and what it refuses."""

from __future__ import annotations

import re
import shlex
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.optimize import brentq

from normlaw.analysis.on_theory.agreement import Agreement
from normlaw.cli.program import main
from normlaw.study.listed import listing, unlisted
from normlaw.study.spec import RunSpec
from normlaw.tracking.store import StudyStore
from normlaw.training.loop import train
from normlaw.verbs.on_theory import compare_with_counterparts
from normlaw_plugins.datasets.sparse_regression import SPARSE_REGRESSION, SparseRegressionParams
from normlaw_plugins.theories.diagonal.dual import interpolator
from normlaw_plugins.theories.diagonal_network import DIAGONAL_NETWORK, DiagonalParams
from normlaw_registry import InputError, LoadContext, load_catalogue


def test_a_point_has_the_moments_of_the_interpolator() -> None:
    """One draw of 600 dimensions, whose fluctuations are a few per cent; norms of the weights too."""
    d, depth, scale, delta = 600, 3, 0.5, 0.5
    rng = np.random.default_rng(2)
    truth = rng.permutation(np.repeat([1.0, -1.0, 0.0], [30, 30, d - 60])) * sqrt(10.0)
    inputs = rng.standard_normal((300, d)) / sqrt(d)
    beta = interpolator(inputs, inputs @ truth + 0.2 * rng.standard_normal(300), depth, scale)
    c = scale**depth
    s = [brentq(lambda s, b=b: c * ((1 - s) ** -3 - (1 + s) ** -3) - b, -0.99, 0.99) for b in beta]
    w = scale / np.array([1 - np.array(s), 1 + np.array(s)])  # 1/w_+ + 1/w_- = 2/a along the flow
    assert w[0] ** depth - w[1] ** depth == pytest.approx(beta, abs=1e-9)
    (point,) = DIAGONAL_NETWORK.points(
        DiagonalParams(depth=depth, noise=0.2), {"delta": [delta], "initial_scale": [scale]}
    )
    assert point["test_loss"] == pytest.approx(np.mean((beta - truth) ** 2), rel=0.1)
    assert point["noisy_test_loss"] == pytest.approx(point["test_loss"] + 0.04, rel=1e-9)
    assert point["predictor_l2"] == pytest.approx(np.linalg.norm(beta) / sqrt(d), rel=0.03)
    assert point["predictor_l1"] == pytest.approx(np.abs(beta).mean(), rel=0.03)
    assert point["norm"] == pytest.approx(np.linalg.norm(w) / sqrt(d), rel=0.01)


def test_references_are_the_ends_of_the_scale() -> None:
    params = DiagonalParams(depth=3, noise=0.2)
    ends = DIAGONAL_NETWORK.points(params, {"delta": [0.4], "initial_scale": [1e-8, 1e4]})
    for point, name in zip(ends, ("least_l1", "least_l2"), strict=True):
        reference = DIAGONAL_NETWORK.compared[name].value(params, {"delta": 0.4})
        assert point["test_loss"] == pytest.approx(reference, rel=1e-6)


def test_scales_that_float64_has_no_room_for_are_refused() -> None:
    with pytest.raises(
        InputError, match=re.escape("initial_scale^depth = 10^-480 is outside [10^-250, 10^100]")
    ):
        DIAGONAL_NETWORK.points(DiagonalParams(depth=8), {"delta": [0.4], "initial_scale": [1e-60]})


@pytest.mark.parametrize("delta", [0.0, 1.0, 1.5])
def test_loads_without_a_bias_are_refused(delta) -> None:
    with pytest.raises(InputError, match="delta"):
        DIAGONAL_NETWORK.points(DiagonalParams(), {"delta": [delta], "initial_scale": [1.0]})


RUN = {
    "architecture": "diagonal",
    "architecture.depth": "3",
    "architecture.initial_scale": "0.2",
    "dataset": "sparse_regression",
    "dataset.dimension": "200",
    "dataset.sparsity": "0.052",
    "dataset.noise_variance": "0.04",
    "loss": "squared",
    "trainer.name": "descent",
    "optimizer.name": "sgd",
    "optimizer.momentum": "0.0",
    "optimizer.weight_decay": "0.0",
    "batch_size": "50",
    "train_size": "50",
}


def test_it_knows_where_a_trained_run_is_to_end() -> None:
    assert DIAGONAL_NETWORK.of_run is not None
    found = DIAGONAL_NETWORK.of_run(RUN)
    assert found is not None
    assert found.params == {"depth": 3, "sparsity": 0.05, "noise": 0.2}  # 10 of 200 entries
    assert (found.held, found.axis) == ({"delta": 0.25, "initial_scale": 0.2}, None)
    assert found.ends_below == {"train/loss": 1e-5}


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": "49"},
        {"sampling": "one_pass"},
        {"train_size": "200", "batch_size": "200"},
        {"optimizer.momentum": "0.9"},
        {"optimizer.name": "adam"},
        {"loss": "logistic"},
        {"dataset": "power_law_regression"},
    ],
)
def test_it_is_not_about_other_runs(changes: dict[str, str]) -> None:
    assert DIAGONAL_NETWORK.of_run is not None
    assert DIAGONAL_NETWORK.of_run({**RUN, **changes}) is None


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.slow
def test_a_trained_run_ends_at_the_interpolator_of_the_dual_problem(depth: int) -> None:
    catalogue = load_catalogue()
    spec = RunSpec.model_validate(
        {
            "architecture": {"name": "diagonal", "params": {"depth": depth, "initial_scale": 0.7}},
            "dataset": {"name": "sparse_regression", "params": {"dimension": 40, "noise_variance": 0.05}},
            "loss": "squared",
            "optimizer": {"name": "sgd", "learning_rate": 0.04},
            "train_size": 12,
            "batch_size": 12,
            "steps": 1000,
            "seed": 1,
            "measures": ["weight_norm"],
            "measuring_points": 2,
        }
    ).resolved(catalogue)
    assert DIAGONAL_NETWORK.of_run is not None
    listed = listing(spec)
    counterpart = DIAGONAL_NETWORK.of_run({**unlisted(listed), **listed})
    assert counterpart is not None
    assert counterpart.params == {"depth": depth, "sparsity": 0.1, "noise": sqrt(0.05)}
    end = train(spec, catalogue, folder=Path())[-1]
    assert end["train/loss"] < counterpart.ends_below["train/loss"]

    params = SparseRegressionParams(dimension=40, noise_variance=0.05)
    splits = SPARSE_REGRESSION.load(params, LoadContext(seed=1, train_size=12, data_dir=Path()))
    inputs, labels = splits.train.inputs.double().numpy(), splits.train.labels.double().numpy()
    unseen, clean = splits.test.inputs.double().numpy(), splits.test.labels.double().numpy()
    truth = np.linalg.lstsq(unseen, clean)[0][:, 0] * sqrt(40)  # without noise
    found = interpolator(inputs / sqrt(40), labels[:, 0], depth, 0.7)
    assert end["test/loss"] == pytest.approx(np.mean((found - truth) ** 2), rel=5e-3)


@pytest.mark.slow
def test_the_commands_of_the_page_put_trained_networks_on_exact_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fewer and smaller runs than the page has; each ends at the interpolator of the dual problem."""
    page = (Path(__file__).parents[3] / "docs" / "diagonal_network.md").read_text()
    block = page.partition("<!-- commands: trained -->\n```sh\n")[2].partition("```")[0]
    run, analyse = (shlex.split(line)[1:] for line in block.splitlines())
    assert analyse == ["analyse", "diagonal_network-small"]
    fewer = {
        "train_size": "[8, 16]",
        "seed": "{count: 3}",
        "steps": "3000",
        "dataset.params.dimension": "40",
        "optimizer.learning_rate": "0.08",
        "architecture.params.initial_scale": "[1.0, 0.5]",
    }
    changes = [f"--set={key}={value}" for key, value in fewer.items()]
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    trained = CliRunner().invoke(main, [*run, *changes, "--max-parallel", "1", "--stack", "6"])
    assert trained.exit_code == 0, trained.output
    (found,) = compare_with_counterparts(StudyStore.open(analyse[1], None, "add"), tmp_path, {})
    assert isinstance(found.comparison, Agreement)
    points = found.comparison.points
    assert len(points) == 4
    for row in points.to_dict("records"):
        exact = of_interpolators(round(row["delta"] * 40), row["initial_scale"])
        assert row["mean"] == pytest.approx(exact, rel=0.02)
    assert {path.stem for path in (found.folder / "figures").iterdir()} == {"test_loss_against_delta"}
    assert "left out" not in found.text


def of_interpolators(train_size: int, scale: float) -> float:
    """Return the mean excess error of the interpolators of the study's data, by Newton's method."""
    params = SparseRegressionParams(dimension=40, noise_variance=0.05)
    errors = []
    for seed in range(3):
        context = LoadContext(seed=seed, train_size=train_size, data_dir=Path())
        splits = SPARSE_REGRESSION.load(params, context)
        inputs, labels = (tensor.double().numpy() for tensor in (splits.train.inputs, splits.train.labels))
        test = splits.test
        truth = np.linalg.lstsq(test.inputs.double().numpy(), test.labels.double().numpy()[:, 0])[0] * sqrt(40)
        errors.append(np.mean((interpolator(inputs / sqrt(40), labels[:, 0], 2, scale) - truth) ** 2))
    return float(np.mean(errors))


def test_noise_is_given_by_its_deviation_or_by_its_variance() -> None:
    assert DiagonalParams(noise_variance=0.04) == DiagonalParams(noise=0.2)  # type: ignore[call-arg]
    for wrong, message in (
        ({"noise_variance": 0.04, "noise": 0.2}, "give one of noise and noise_variance"),
        ({"noise_variance": -1}, "a number from 0 on"),
        ({"noise_variance": "much"}, "a number from 0 on"),
        ({"noise_variance": True}, "a number from 0 on"),
    ):
        with pytest.raises(ValueError, match=message):
            DiagonalParams(**wrong)
