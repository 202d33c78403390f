"""A run with callbacks: the same bits as without, whole or resumed, and what they log beside its norms."""

from __future__ import annotations

from collections.abc import Callable as Function
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from normlaw.study.identity import measured_by
from normlaw.study.listed import contradiction, listing
from normlaw.study.spec import RunSpec
from normlaw.training.checkpoints import Checkpoints
from normlaw.training.loop import train
from normlaw.training.measuring import Measurer
from normlaw.training.observer import Observer
from normlaw.training.stacking import alone, stacks
from normlaw.training.state import TrainingState
from normlaw.training.trial import try_out
from normlaw_registry import (
    Callback,
    Catalogue,
    ComplexityMeasure,
    Follower,
    InputError,
    MeasuredValue,
    NormlawError,
    Params,
    Split,
    Task,
    hookimpl,
)
from normlaw_registry.host import inspect_plugin


class ShrinkParams(Params):
    factor: float = 0.9


class Sum(Follower):
    """Adds the losses of the batches up, in a tensor."""

    started = 0

    def __init__(self, run: Any) -> None:
        type(self).started += 1
        self.run = run
        self.sum = torch.zeros((), dtype=torch.float64)
        self.ended = 0

    def after_step(self, step: Any) -> None:
        self.sum += step.loss.double()

    def at_point(self, point: Any) -> dict[str, float]:
        return {"losses": float(self.sum), "outputs": float(point.test_outputs.double().sum())}

    def state_dict(self) -> dict[str, Any]:
        return {"sum": self.sum, "seen": [1, {"a": None}]}

    def load_state_dict(self, state: Any) -> None:
        assert state["seen"] == [1, {"a": None}]
        self.sum = state["sum"].clone()


class Shrinks(Follower):
    """Changes the training: shrinks the weights after each step."""

    def __init__(self, run: Any, params: ShrinkParams) -> None:
        self.run, self.params = run, params

    def after_step(self, step: Any) -> None:
        with torch.no_grad():
            for weight in self.run.network.parameters():
                weight.mul_(self.params.factor)


class Stealthy(Shrinks):
    pass


class Failing(Follower):
    def after_step(self, step: Any) -> None:
        raise ZeroDivisionError("at last")


class Unstorable(Follower):
    def state_dict(self) -> dict[str, Any]:
        return {"network": Path("x")}


class Choosy(Follower):
    def __init__(self) -> None:
        raise InputError("follows networks of stone only")


SUM = Callback(name="losses", summary="Sum of losses", start=lambda params, run: Sum(run))
SHRINK: Callback[ShrinkParams] = Callback(
    name="shrink",
    summary="Shrinks",
    params=ShrinkParams,
    start=lambda params, run: Shrinks(run, params),
    changes_training=True,
)


class Lab:
    """A plugin of callbacks."""

    @hookimpl
    def normlaw_callbacks(self) -> Any:
        yield SUM
        yield SHRINK
        yield Callback(
            name="stealthy", summary="Shrinks too", start=lambda params, run: Stealthy(run, ShrinkParams())
        )
        yield Callback(name="failing", summary="Fails", start=lambda params, run: Failing())
        yield Callback(name="unstorable", summary="Keeps a path", start=lambda params, run: Unstorable())
        yield Callback(name="choosy", summary="Refuses", start=lambda params, run: Choosy())

    @hookimpl
    def normlaw_complexity_measures(self) -> Any:
        def take(params: Any, context: Any) -> MeasuredValue:
            return MeasuredValue(log_value=float(context.follower.sum), exactness="estimate")

        yield ComplexityMeasure(name="sum_one", summary="Sum", measure=take, callback=SUM)
        yield ComplexityMeasure(name="sum_two", summary="Sum", measure=take, callback=SUM)


@pytest.fixture(autouse=True)
def lab(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    """Have the plugin installed wherever anyone looks."""
    both = Catalogue.of([*catalogue.records, inspect_plugin(Lab())])
    monkeypatch.setattr("normlaw.study.identity.load_catalogue", lambda: both)
    return both


@pytest.fixture
def make(spec: Function[..., RunSpec], lab: Catalogue) -> Function[..., RunSpec]:
    """Return a function that makes a small run with these callbacks and measures."""

    def of(*callbacks: Any, measures: Any = ("weight_norm",), **changes: Any) -> RunSpec:
        tree = spec(**changes).model_dump(mode="json")
        return RunSpec.model_validate(tree | {"measures": measures, "callbacks": callbacks}).resolved(lab)

    return of


def without_told(points: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{k: v for k, v in point.items() if not k.startswith("callback/")} for point in points]


def test_one_that_looks_on_changes_no_bit_and_no_identity(make: Function[..., RunSpec], lab: Catalogue) -> None:
    plain, told = make(), make("losses")
    assert told.spec_hash == plain.spec_hash
    points, alone = train(told, lab), train(plain, lab)
    assert without_told(points) == alone
    assert points[0]["callback/losses/losses"] == 0.0
    assert points[-1]["callback/losses/losses"] > points[1]["callback/losses/losses"] > 1.0
    assert "callbacks" not in plain.model_dump(mode="json")


def test_one_that_changes_the_training_is_part_of_what_a_run_is(
    make: Function[..., RunSpec], lab: Catalogue
) -> None:
    plain, strong = make(), make({"name": "shrink", "params": {"factor": 0.5}})
    hashes = {spec.spec_hash for spec in (plain, strong, make("shrink"))}
    assert len(hashes) == 3
    assert make({"name": "shrink", "params": {"factor": 0.9}}).spec_hash == make("shrink").spec_hash
    assert make("losses", "shrink").spec_hash == make("shrink").spec_hash
    ends = [train(spec, lab)[-1]["log_norm/weight_norm"] for spec in (plain, strong, make("shrink"))]
    assert ends[1] < ends[2] < ends[0]


def test_what_a_run_was_told_is_known_of_it(make: Function[..., RunSpec]) -> None:
    both = make("losses", {"name": "shrink", "params": {"factor": 0.5}})
    assert measured_by(both) == {"weight_norm": {}, "callback/losses": {}}
    listed = listing(both)
    assert listed["callbacks"] == "losses,shrink"
    assert listed["callbacks.shrink.factor"] == "0.5"
    assert "callbacks.losses" not in listed
    assert contradiction(listed, listing(make("shrink"))) == "callbacks.shrink.factor"
    assert contradiction(listing(make("losses")), listing(make())) is None
    assert "callbacks" not in listing(make())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"callbacks": ["shrink"]}, "shrink changes"),
        ({"intervention": {"temperature": 2.0}}, "intervention changes"),
    ],
)
def test_telescoping_refuses_runs_that_something_else_changes(
    changes: dict[str, Any], said: str, make: Function[..., RunSpec], lab: Catalogue, tmp_path: Path
) -> None:
    network = {"architecture": {"name": "mlp", "params": {"hidden": [4]}}, "loss": "squared"}
    spec = make("telescoping", *changes.get("callbacks", ()), **network)
    if "intervention" in changes:
        tree = spec.model_dump(mode="json") | changes
        spec = RunSpec.model_validate(tree).resolved(lab)
    misfit = try_out(spec, spec, lab, tmp_path, "cpu")
    assert misfit is not None
    assert misfit.place == ("callbacks", 0)
    assert said in misfit.failure.reason
    assert try_out(make("telescoping", **network), make("telescoping", **network), lab, tmp_path, "cpu") is None


class StopError(Exception):
    pass


class StopAt(Observer):
    def __init__(self, number: int, checkpoints: Checkpoints) -> None:
        self.number, self.checkpoints = number, checkpoints

    def safe_point(self, state: Function[[], TrainingState] | None) -> None:
        if self.number == 0:
            assert state is not None
            self.checkpoints.save(state())
            raise StopError
        self.number -= 1


@pytest.mark.parametrize("number", [0, 3])
def test_a_resumed_run_is_told_the_same(
    number: int, make: Function[..., RunSpec], lab: Catalogue, tmp_path: Path
) -> None:
    told = make("losses", "shrink", "path_length")
    whole = train(told, lab)
    checkpoints = Checkpoints(tmp_path, "this run")
    with pytest.raises(StopError):
        train(told, lab, observer=StopAt(number, checkpoints))
    assert train(told, lab, resume=next(checkpoints.states())) == whole[number + 1 :]


def test_measures_share_the_follower_of_their_callback(make: Function[..., RunSpec], lab: Catalogue) -> None:
    before = Sum.started
    spec = make("losses", measures=["sum_one", "sum_two", "weight_norm"])
    points = train(spec, lab)
    assert Sum.started == before + 1
    for point in points:
        assert point["log_norm/sum_one"] == point["log_norm/sum_two"] == point["callback/losses/losses"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stealthy", "'stealthy' changed the network or its gradients at step 1, and does not say so"),
        ("failing", "callback 'failing' failed at step 1: ZeroDivisionError: at last"),
        ("choosy", "follows networks of stone only"),
    ],
)
def test_one_that_breaks_its_word_ends_the_run_and_is_named(
    name: str, said: str, make: Function[..., RunSpec], lab: Catalogue, tmp_path: Path
) -> None:
    with pytest.raises(NormlawError) as caught:
        train(make(name), lab)
    assert said in str(caught.value)
    misfit = try_out(make(name), make(name), lab, tmp_path, "cpu")  # before anything is trained
    assert misfit is not None
    assert misfit.place == ("callbacks", 0)
    assert f"callback {name!r} cannot follow the run: " in misfit.failure.reason
    assert said in misfit.failure.reason


def test_a_state_that_no_checkpoint_can_hold_is_refused(
    make: Function[..., RunSpec], lab: Catalogue, tmp_path: Path
) -> None:
    with pytest.raises(NormlawError, match=r"callback 'unstorable': its state holds a \w*Path"):
        train(make("unstorable"), lab, observer=StopAt(0, Checkpoints(tmp_path, "this run")))


def test_a_norm_that_follows_steps_is_refused_where_there_are_none(
    make: Function[..., RunSpec], lab: Catalogue, tmp_path: Path
) -> None:
    flow = {
        "architecture": "perceptron",
        "dataset": {"name": "teacher_student", "params": {"dimension": 10}},
        "optimizer": {"name": "gradient_flow", "final_norm": 2.0},
        "steps": None,
        "batch_size": 8,
    }
    with pytest.raises(ValueError, match="gradient_flow has no `callbacks`"):
        make("losses", **flow)
    spec = make(**flow).model_copy(update={"measures": make(measures=["sum_one"]).measures})
    with pytest.raises(InputError, match="'losses' follows an optimiser's steps, and gradient_flow takes none"):
        train(spec, lab)
    misfit = try_out(spec, spec, lab, tmp_path, "cpu")
    assert misfit is not None
    assert "gradient_flow takes none" in misfit.failure.reason


def test_a_norm_that_follows_steps_is_refused_of_weights_alone(lab: Catalogue) -> None:
    network, task = nn.Linear(3, 1), Task(input_shape=(3,), num_classes=2)
    measurer = Measurer([(lab.get(ComplexityMeasure, "sum_one"), Params())], network, None, task)
    batch = Split(inputs=torch.zeros(2, 3), labels=torch.zeros(2, dtype=torch.int64))
    with pytest.raises(
        InputError, match="'sum_one' follows every optimiser step: it is taken in runs that normlaw"
    ):
        measurer.measure(
            network,
            train_batches=lambda: [batch],
            train_labels=batch.labels,
            train_logits=lambda: network(batch.inputs),
        )


def test_runs_that_are_followed_stay_alone(
    make: Function[..., RunSpec], lab: Catalogue, tmp_path: Path
) -> None:
    specs = [make(*named, seed=seed) for named in ((), ("losses",)) for seed in (0, 1)]
    together, *others = stacks(specs, lab, tmp_path, 8)
    assert together == tuple(specs[:2])
    assert others == [(specs[2],), (specs[3],)]
    assert alone(specs[2], lab) == "callback 'losses' follows the steps of one run at a time"
    by_norm = [make(measures=["sum_one"], seed=seed) for seed in (0, 1)]
    assert stacks(by_norm, lab, tmp_path, 8) == [(by_norm[0],), (by_norm[1],)]
