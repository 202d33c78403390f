"""The examples on the components' pages do what they say; every built-in norm and fit states its formula."""

from __future__ import annotations

import shlex
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import normlaw
import normlaw_registry as registry
from normlaw.cli.program import main
from normlaw.launching.preflight import Trials, combinations
from normlaw.study.expansion import expand, planned_runs
from normlaw.study.overrides import parse_overrides
from normlaw_tests.exact_curves import exact_curves

sys.path.insert(0, str(Path(__file__).parents[1] / "docs" / "_ext"))

from component_examples import FETCHED, example
from component_reference import KINDS, built_in

TRAINED = ("architecture", "dataset", "loss", "optimizer", "schedule", "complexity_measure", "callback")


def words(component: registry.Component) -> list[str]:
    """Return what a reader types behind `normlaw`."""
    command, *rest = shlex.split(example(component).replace("\\\n", ""))  # a shell joins such lines
    assert command == "normlaw"
    return rest


def settings(component: registry.Component) -> list[str]:
    """Return what an example sets."""
    typed = words(component)
    return [value for option, value in pairwise(typed) if option == "--set"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def run(*arguments: str) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output


def test_every_built_in_component_has_an_example_and_every_norm_and_fit_a_formula() -> None:
    for kind, component_type in KINDS.items():
        for component in built_in(component_type):
            assert example(component), f"{kind} {component.name}"
            if kind not in ("architecture", "dataset"):
                assert component.formula, f"{kind} {component.name}"


@pytest.mark.parametrize("kind", TRAINED)
def test_an_example_that_trains_names_its_component_in_every_run(kind) -> None:
    catalogue = registry.load_catalogue()
    for component in built_in(KINDS[kind]):
        assert words(component)[:2] == ["run", "quickstart"]
        overrides = parse_overrides(settings(component), "--set")
        specs = expand(normlaw.load_study("quickstart", overrides=overrides), catalogue)
        assert len(specs) == 24
        for spec in specs:
            measured = {measure.name for measure in spec.measures}
            named = {
                "architecture": {spec.architecture.name},
                "dataset": {spec.dataset.name},
                "loss": {spec.loss.name},
                "optimizer": {spec.optimizer.name},
                "schedule": {spec.learning_rate_schedule.name},
                "callback": {callback.name for callback in spec.callbacks},
            }.get(kind, measured)
            assert named == {component.name}


@pytest.mark.slow
def test_what_the_examples_combine_can_be_trained(here) -> None:
    """All norms on the study's network at once, each data set that needs no files, and each way to train.

    All are tried out in one process, as `normlaw run` tries out the runs of one study.
    """
    catalogue = registry.load_catalogue()
    measures = [
        catalogue.get(registry.ComplexityMeasure, m.name) for m in built_in(KINDS["complexity_measure"])
    ]
    norms = ",".join(measure.name for measure in measures if measure.callback is None)
    few = ["train_size=[30]", "seed=0"]
    combined = [[f"measures=[{norms}]", *few]]
    for kind in (registry.Dataset, registry.Loss, registry.Optimizer, registry.Schedule):
        for component in built_in(kind):
            if component.name not in (*FETCHED, "image_folder"):
                combined.append([*settings(component), *few])
    for component in [*built_in(registry.Callback), *(one for one in measures if one.callback is not None)]:
        combined.append([*settings(component), "seed=0"])
    plans = [
        planned
        for typed in combined
        for planned in planned_runs(
            normlaw.load_study("quickstart", overrides=parse_overrides(typed, "--set")), catalogue
        ).values()
    ]
    with Trials("cpu", here / "data") as trials:
        assert trials.problems(combinations(plans)) == []


@pytest.mark.slow
def test_the_examples_that_analyse_do(here, one_figure) -> None:
    curves = exact_curves((100, 200, 400, 800, 1600, 3200), 2, np.linspace(0, 8, 30))
    curves.query("test_error < 1").to_csv("curves.csv", index=False)
    run("import", "curves.csv", "--study", "quickstart")
    for component in built_in(registry.AnalysisProtocol):
        run(*words(component))
    fitters = [words(component) for component in built_in(registry.Fitter)]
    shared = ["analyse", "quickstart", "--protocol", "automatic", "--fitter"]
    assert [one[:-1] for one in fitters] == [shared] * len(fitters)
    run(*shared[:-1], *(word for one in fitters for word in one[-2:]))


@pytest.mark.slow
def test_the_examples_of_theories_run(here) -> None:
    for component in built_in(registry.Theory):
        run(*words(component))
