"""An observer takes a loop's norms and leaves the loop as it is."""

from __future__ import annotations

import copy
import json
import os
import random
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import normlaw
from normlaw.observing.observer import Observer
from normlaw.study.identity import canonical
from normlaw.study.observed import ObservedSpec
from normlaw.tracking.journal import JournalInUseError
from normlaw.tracking.record import Record, read_journal
from normlaw.training.measuring import Measurer
from normlaw_registry import Catalogue, ComplexityMeasure, InputError, Task, validate_params
from normlaw_tests.own_loop import IMAGE, Loop, data, network, observe, seeded

SCHEDULE = [0, 1, 2, 3, 4, 7, 12]


def journal(home: Path) -> Record:
    (path,) = home.glob("journal/own/*.jsonl")
    record = read_journal(path)
    assert record is not None
    return record


def state(model: nn.Module) -> list[torch.Tensor]:
    grads = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    return [*(v.clone() for v in model.state_dict().values()), *grads, torch.get_rng_state()]


def test_the_points_are_in_the_journal_with_the_norms_of_a_run_of_normlaws(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    model = network()
    with seeded():
        Loop(model).run(observe(model, tmp_path, about={"architecture": "small", "rate": 0.01}))
    record = journal(tmp_path)
    assert [point["step"] for point in record.points] == SCHEDULE
    assert record.status == "finished"
    assert {row["step"] for row in record.layers} == {0, 12}
    measures = [catalogue.get(ComplexityMeasure, name) for name in ("spectral_complexity", "weight_norm")]
    own = Measurer(
        [(m, validate_params(m, {})) for m in measures], model, None, Task(input_shape=IMAGE, num_classes=3)
    )
    labels = torch.zeros(0, dtype=torch.int64)
    expected = own.measure(
        model, train_batches=list, train_labels=labels, train_logits=lambda: torch.zeros(0, 3)
    )
    for name, value in expected.items():
        assert record.points[-1][f"log_norm/{name}"] == value.log_value


def test_the_loop_goes_on_as_if_nobody_looked(tmp_path: Path) -> None:
    alone, observed = network(), network()
    with seeded():
        Loop(alone).run(None)
        expected = state(alone)
    observed[1].eval()  # modes stay as they are, one by one
    observed[1].train()
    with seeded():
        before = (random.getstate(), str(np.random.get_state()))
        Loop(observed).run(observe(observed, tmp_path, steps=12, points=12))
        assert all(torch.equal(a, b) for a, b in zip(state(observed), expected, strict=True))
        assert (random.getstate(), str(np.random.get_state())) == before
    for module in observed.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def test_a_measurement_changes_no_mode_no_gradient_and_no_random_state(tmp_path: Path) -> None:
    model = network()
    loop = Loop(model)
    observer = observe(model, tmp_path)
    loop.step()
    model.train()
    model[3].eval()
    before, modes = state(model), [module.training for module in model.modules()]
    grads = [p.grad for p in model.parameters()]
    with torch.autocast("cpu", torch.bfloat16):
        first = observer.point(1, test_error=0.5)
        assert torch.is_autocast_enabled("cpu")
    assert all(torch.equal(a, b) for a, b in zip(state(model), before, strict=True))
    assert [module.training for module in model.modules()] == modes
    assert all(p.grad is grad for p, grad in zip(model.parameters(), grads, strict=True))
    again = observe(copy.deepcopy(model), tmp_path / "other").point(1, test_error=0.5)
    assert first == again  # the weights alone decide, not what was measured before, nor autocast


def test_a_gradient_that_is_accumulated_is_left_to_the_loop(tmp_path: Path) -> None:
    """Asked at each of four batches that make a step, also in the middle: a step is measured once, as it is."""
    inputs, labels = data()
    parts = list(zip(inputs.split(16), labels.split(16), strict=True))

    def train(asked_from: int | None) -> tuple[list[torch.Tensor], list[int]]:
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 3))
        with torch.no_grad():
            for number, parameter in enumerate(model.parameters()):
                parameter.copy_(torch.linspace(-0.5, 0.4, parameter.numel()).view_as(parameter) * (1 + number))
        optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
        observer = None if asked_from is None else observe(model, tmp_path / str(asked_from), steps=5, points=9)
        batches: list[int] = []
        for step in range(6):
            for number, (some, answers) in enumerate(parts):
                if observer is not None and number >= (asked_from or 0) and observer.due(step):
                    batches.append(number)
                    observer.point(step, test_error=0.5)
                loss = torch.nn.functional.cross_entropy(model(some), answers) / len(parts)
                loss.backward()
            if step < 5:
                optimizer.step()
                optimizer.zero_grad()
        return state(model)[:-1], batches

    expected, _ = train(None)
    between, middle = train(0), train(2)  # the gradient of two batches is there in the latter
    for found, _ in (between, middle):
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert (between[1], middle[1]) == (6 * [0], 6 * [2])
    points = journal(tmp_path / "0").points
    assert [point["step"] for point in points] == [0, 1, 2, 3, 4, 5]
    assert journal(tmp_path / "2").points == points


def test_a_run_killed_and_gone_on_with_has_the_same_points(tmp_path: Path) -> None:
    with seeded():
        model = network()
        Loop(model).run(observe(model, tmp_path / "whole"))
    expected = journal(tmp_path / "whole").points
    with seeded():
        model = network()
        loop = Loop(model)
        observer = observe(model, tmp_path / "killed")
        if (child := os.fork()) == 0:
            loop.run(observer, 0, 4)
            os.kill(os.getpid(), signal.SIGKILL)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        observer._close()
    record = journal(tmp_path / "killed")
    assert [point["step"] for point in record.points] == SCHEDULE[:5]
    assert record.status is None
    (path,) = tmp_path.glob("killed/journal/own/*.jsonl")
    with path.open("ab") as file:
        file.write(b'{"kind": "point", "val')  # what a kill in the midst of writing leaves
    with seeded():  # the loop begins anew, as one without checkpoints does
        model = network()
        observer = observe(model, tmp_path / "killed")
        assert observer.last_step == 4
        assert observer.point(3, test_error=0.123) == expected[3]  # what is there stays
        Loop(model).run(observer)
    assert journal(tmp_path / "killed").points == expected


def test_a_finished_run_stays_as_it_is_and_may_be_trained_longer(tmp_path: Path) -> None:
    with seeded():
        model = network()
        Loop(model).run(observe(model, tmp_path))
    (path,) = tmp_path.glob("journal/own/*.jsonl")
    content = path.read_bytes()
    with seeded():
        model = network()
        Loop(model).run(observe(model, tmp_path))
    observe(network(), tmp_path).finish()
    assert path.read_bytes() == content
    with seeded():
        model = network()
        Loop(model).run(observe(model, tmp_path, steps=20, points=8), last=20)
    record = journal(tmp_path)
    assert record.status == "finished"
    assert [point["step"] for point in record.points][:7] == SCHEDULE
    assert record.points[-1]["step"] == 20


def test_initial_weights_are_those_of_the_beginning(tmp_path: Path) -> None:
    def watched(home: Path, model: nn.Module) -> Observer:
        return observe(model, home, measures=["distance_from_initialisation"])

    model = network()
    with seeded():
        whole = watched(tmp_path / "whole", model)
        Loop(model).step()
        expected = whole.point(1, test_error=0.5)
    model = network()
    with seeded():
        first = watched(tmp_path / "killed", model)
        first.point(0, test_error=0.6)
        first._close()
        Loop(model).step()
        later = watched(tmp_path / "killed", model)  # from a checkpoint, no longer as it was
        assert later.point(1, test_error=0.5) == expected
    later._close()
    next(tmp_path.glob("killed/journal/own/*.initial")).unlink()
    with pytest.raises(InputError, match="initial weights of the run"):
        watched(tmp_path / "killed", model)


def test_the_identity_is_what_was_said(tmp_path: Path) -> None:
    spec = ObservedSpec.model_validate(
        {"train_size": 64, "seed": 0, "about": {"b": [1, 2.5], "a": "x"}, "measures": ["weight_norm"]}
    )
    assert canonical(spec) == {
        "schema": 2,
        "trainer": "observed",
        "train_size": 64,
        "seed": 0,
        "about": {"a": "x", "b": [1, 2.5]},
    }
    assert spec.spec_hash == "374c807afc9dffdd"  # for ever: stored runs go by it
    more = spec.model_copy(update={"measures": (*spec.measures, *spec.measures)})
    assert more.spec_hash == spec.spec_hash


def test_due_counts_each_step_once_whenever_it_is_asked(tmp_path: Path) -> None:
    observer = observe(network(), tmp_path)
    for step, due in ((0, True), (0, False), (1, True), (1, False)):  # four batches make one step
        assert observer.due(step) is due
        if due:
            observer.point(step, test_error=0.5)
    assert observer.due(5)  # once an epoch: steps of the schedule went by
    observer.point(5, test_error=0.5)
    assert not observer.due(6)
    assert observer.due(7)
    assert observer.point(4, test_error=0.5) is None


def test_a_failed_loop_ends_as_failed_and_is_gone_on_with(tmp_path: Path) -> None:
    def broken() -> None:
        with observe(network(), tmp_path) as observer:
            observer.point(0, test_error=0.5)
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        broken()
    failed = journal(tmp_path)
    assert (failed.status, "out of memory" in failed.reason) == ("failed", True)
    with observe(network(), tmp_path) as observer:
        observer.point(2, test_error=0.4)
    record = journal(tmp_path)
    assert (record.status, [p["step"] for p in record.points]) == ("finished", [0, 2])


def test_an_interrupted_loop_has_no_end(tmp_path: Path) -> None:
    def interrupted() -> None:
        with observe(network(), tmp_path) as observer:
            observer.point(0, test_error=0.5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert journal(tmp_path).status is None
    observe(network(), tmp_path)._close()  # the journal is free


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"test_error": 12.5}, r"step 1: test_error must be a fraction in \[0, 1\], got 12.5"),
    ({"test_loss": float("nan")}, "step 1: test_loss is nan: the training has diverged"),
    ({"train_error": 0.5}, "give test_error or test_loss"),
    ({"test_error": 0.5, "train_loss": 1.0}, "the same numbers at each point of a run, train_loss at all or"),
]


@pytest.mark.parametrize(("numbers", "message"), WRONG)
def test_numbers_without_sense_are_refused(numbers: dict[str, float], message: str, tmp_path: Path) -> None:
    observer = observe(network(), tmp_path)
    observer.point(0, test_error=0.5)
    with pytest.raises(InputError, match=message):
        observer.point(1, **numbers)
    assert len(journal(tmp_path).points) == 1


OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"measures": ["spectral_complexity"]}, "was begun measuring spectral_complexity, weight_norm, and cannot"),
    ({"train_size": 0}, "train_size: "),
    ({"about": {"seed": 3}}, "'seed' has an argument of its own"),
    ({"about": {"rate": np.int64(3)}}, "`rate` is .* of type int64"),
    ({"about": {"a/b": 3}}, "'a/b' is no name"),
    ({"measures": ["weight_nrom"]}, "did you mean weight_norm"),
    ({"measures": ["l1_norm"]}, "study 'own' reads its laws in 'spectral_complexity'"),
    ({"study": "../x"}, "cannot be the name of a study"),
    ({"study": "new", "measures": None}, "give `measures`"),
    ({"steps": 0}, "steps and points must be 1 at least"),
]


@pytest.mark.parametrize(("options", "message"), OTHERS, ids=lambda value: str(value)[:30])
def test_a_run_that_cannot_be_observed_says_why(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    first = observe(network(), tmp_path)
    first.point(0, test_error=0.5)
    first._close()
    with pytest.raises(InputError, match=message):
        observe(network(), tmp_path, **options)


def test_another_network_under_the_same_name_is_told(tmp_path: Path) -> None:
    first = observe(network(), tmp_path)
    first.point(0, test_error=0.5)
    with pytest.raises(JournalInUseError):
        observe(network(), tmp_path)
    first._close()
    with pytest.raises(InputError, match="was begun with another network, or with examples of another size"):
        observe(nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), tmp_path)


def test_a_batch_that_does_not_fit_is_told(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "study": "s",
        "train_size": 1,
        "seed": 0,
        "measures": "weight_norm",
        "home": tmp_path,
    }
    for batch, message in (
        (torch.zeros(2, 3, 8, 8), "cannot be applied to the example batch"),
        ((torch.zeros(2, *IMAGE), torch.zeros(3)), "tensors of several lengths"),
        (torch.zeros(0, *IMAGE), "no example"),
        ("images", "no example"),
    ):
        with pytest.raises(InputError, match=message):
            normlaw.observe(network(), batch, **options)
    with pytest.raises(InputError, match=r"not a torch.nn.Module"):
        normlaw.observe(lambda x: x, torch.zeros(1), **options)  # type: ignore[arg-type]
    assert not list(tmp_path.glob("journal/*/*.jsonl"))


def test_a_norm_of_training_examples_is_told(tmp_path: Path) -> None:
    observer = observe(network(), tmp_path, measures=["fisher_rao_norm"])
    with pytest.raises(InputError, match="looks at the training examples, and an observer has"):
        observer.point(0, test_error=0.5)


def test_nothing_measured_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing was measured"):
        observe(network(), tmp_path).finish()
    with pytest.raises(InputError, match="without `steps`"):
        observe(network(), tmp_path, steps=None).due(3)


def test_an_observed_study_is_not_trained_by_normlaw(tmp_path: Path) -> None:
    observe(network(), tmp_path).point(0, test_error=0.5)
    with pytest.raises(InputError, match="was observed in loops of your own"):
        normlaw.resume("own", home=tmp_path, offline=True)
    assert json.loads(next(tmp_path.glob("journal/own/*.jsonl")).read_text().splitlines()[1])["kind"] == "point"
