"""Gradients are right whatever instructions the processor has, and what a run was laid out as is recorded."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from normlaw.study.run_options import Compute
from normlaw.tracking.journal import Journal
from normlaw.tracking.record import read_journal
from normlaw.training.compute import Forward, laid_out
from normlaw.training.loop import train
from normlaw.training.memory_format import memory_format
from normlaw.training.observer import Observer
from normlaw.training.together import train_together
from normlaw_registry import InputError, Task
from normlaw_registry.linear.channels_last import UPSTREAM
from normlaw_tests import forked
from normlaw_tests.gradients import tell

IMAGES = Task(input_shape=(4, 8, 8), num_classes=2)
SMALL_RESNET = {"name": "resnet", "params": {"blocks": [1, 1], "channels": [4, 8]}}
AVX512 = "avx512f" in Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else False
INSTRUCTIONS = ["AVX2", "DEFAULT"] if AVX512 else ["DEFAULT"]


@pytest.fixture(scope="module")
def gradients(tmp_path_factory) -> dict[tuple[str, str], list[str]]:
    """Return what was wrong by the rule and as asked for, under each instruction set: one process forks all."""
    tried = list(itertools.product(("rule", "asked"), INSTRUCTIONS))
    folder = tmp_path_factory.mktemp("gradients")
    done = forked.done(tell, *map(",".join, tried), folder=folder, env=os.environ)
    assert done.returncode == 0, done.stderr
    found = {}
    for (how, instructions), line in zip(tried, done.stdout.splitlines(), strict=True):
        number, found[how, instructions] = json.loads(line)
        assert number > (60 if how == "rule" else 10)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("instructions", INSTRUCTIONS)
def test_gradients_are_right_under_every_instruction_set(gradients, instructions):
    assert gradients["rule", instructions] == []


@pytest.mark.slow
@pytest.mark.parametrize("instructions", INSTRUCTIONS)
def test_without_the_rule_they_are_not(gradients, instructions):
    wrong = gradients["asked", instructions]
    if not wrong:
        pytest.skip(f"torch {torch.__version__} is right here without the rule")
    assert all("'stride': 1" not in line for line in wrong)


class _Noting(Observer):
    def __init__(self) -> None:
        self.used: list[tuple[str, str]] = []

    def memory_format(self, layout):
        self.used.append((layout.used, layout.reason))


def test_a_run_is_laid_out_by_the_rule_and_says_so(spec, catalogue):
    for architecture, used in (
        (SMALL_RESNET, "contiguous"),
        ({"name": "resnet", "preset": "mnist"}, "channels_last"),
    ):
        noting = _Noting()
        train(spec(architecture=architecture, steps=1), catalogue, folder=Path("unused"), observer=noting)
        [(found, reason)] = noting.used
        assert found == used
        assert (UPSTREAM in reason) is (used == "contiguous")


@pytest.mark.slow
def test_a_stack_says_that_it_is_contiguous(spec, catalogue):
    noting = [_Noting(), _Noting()]
    specs = [spec(architecture={"name": "resnet", "preset": "mnist"}, steps=1, seed=seed) for seed in (0, 1)]
    assert train_together(specs, catalogue, noting, folder=Path("unused")) == [None, None]
    assert {used for each in noting for used, _ in each.used} == {"contiguous"}


class _Own(nn.Module):
    """A convolution that is no layer of torch's."""

    def __init__(self, turned: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8, 4, 1, 1))
        self.turned = turned

    def forward(self, images):
        if self.turned:
            images = images.contiguous(memory_format=torch.channels_last)
        return nn.functional.conv2d(images, self.weight, stride=2)


def test_a_convolution_of_a_networks_own_is_found():
    assert memory_format(_Own(), Compute(), "cpu", IMAGES).used == "contiguous"
    assert memory_format(_Own(), Compute(), "cuda", IMAGES).used == "channels_last"


def test_a_network_that_lays_out_images_itself_is_refused():
    with pytest.raises(InputError, match=r"itself lays out channels-last.*call `\.contiguous\(\)`"):
        memory_format(_Own(turned=True), Compute(), "cpu", IMAGES)


def test_a_layer_that_is_used_in_training_alone_is_found(monkeypatch):
    network = nn.Sequential(nn.Conv2d(4, 16, 3))
    network.aside = nn.Conv2d(4, 8, 1, stride=2)
    monkeypatch.setattr(network, "forward", network[0].forward)
    assert memory_format(network, Compute(), "cpu", IMAGES).used == "contiguous"


@pytest.mark.slow
def test_the_compiler_does_not_lay_it_out_otherwise():
    compute = Compute(compile="default")
    network, layout = laid_out(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 8, 1, stride=2)),
        compute,
        "cpu",
        Task(input_shape=(3, 8, 8), num_classes=2),
    )
    try:
        outputs = Forward(network, compute, layout)(torch.randn(2, 3, 8, 8))
    except InputError as missing:
        pytest.skip(str(missing))
    assert outputs.is_contiguous()


def test_the_journal_keeps_what_was_used_last_and_old_ones_have_none(spec, tmp_path):
    path = tmp_path / "run.jsonl"
    with Journal(path) as journal:
        journal.start(spec(), {})
        journal.point({"step": 0.0})
        assert read_journal(path).memory_format == {}
        journal.memory_format("channels_last", "")
        journal.memory_format("contiguous", "why")
    assert read_journal(path).memory_format == {"used": "contiguous", "reason": "why"}
    assert json.loads(path.read_text().splitlines()[-1])["kind"] == "memory_format"
