"""How a run is computed: what each choice changes, and what it must not change."""

from __future__ import annotations

import io
import json
import os
import runpy
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from normlaw.study.identity import canonical
from normlaw.study.listed import searchable
from normlaw.study.spec import RunSpec
from normlaw.training import compute
from normlaw.training.descent import Descent
from normlaw.training.observer import Observer
from normlaw.training.run import Run
from normlaw_registry import InputError
from normlaw_tests import forked

CNN = {"name": "cnn", "params": {"channels": [8, 8], "hidden": [16]}}
VIT = {"name": "vit", "params": {"patch": 4, "width": 16, "depth": 1, "heads": 2}}
GPT = {"name": "gpt", "params": {"width": 16, "depth": 1, "heads": 2}}
LSTM = {"name": "lstm", "params": {"width": 16, "hidden": 16}}
TOKENS = {"name": "markov", "params": {"vocabulary": 5, "length": 6, "test_size": 40}}
BFLOAT16 = {"precision": "bfloat16"}


@pytest.fixture
def prepared(spec, catalogue):
    return lambda **changes: Run(spec(**changes), catalogue, Path("unused"), "cpu", Observer())


def test_the_default_is_no_part_of_what_a_run_is(spec):
    assert "compute" not in canonical(spec())
    assert spec(compute={"compile": "off"}) == spec()
    assert "compute" not in json.loads(spec().model_dump_json())
    assert not [key for key in searchable(spec()) if key.startswith("compute")]


def test_another_choice_is_recorded_and_makes_another_run(spec):
    chosen = spec(compute=BFLOAT16)
    assert canonical(chosen)["compute"] == BFLOAT16
    assert chosen.spec_hash != spec().spec_hash
    assert RunSpec.model_validate(json.loads(chosen.model_dump_json())) == chosen
    assert searchable(chosen)["compute.precision"] == "bfloat16"


def test_runs_that_follow_the_norm_have_no_choice(spec):
    optimizer = {"name": "gradient_flow", "final_norm": 10.0}
    with pytest.raises(ValueError, match="gradient_flow has no `compute`"):
        spec(optimizer=optimizer, steps=None, compute=BFLOAT16)


@pytest.mark.parametrize("architecture", [CNN, VIT, {"name": "resnet", "preset": "mnist"}, GPT, LSTM])
def test_bfloat16_rounds_outputs_and_nothing_else(prepared, architecture):
    """Eight bits: outputs are near those of float32 and not the same; weights stay in float32."""
    data = {"dataset": TOKENS} if architecture in (GPT, LSTM) else {}
    exact, rounded = (prepared(architecture=architecture, compute=c, **data) for c in ({}, BFLOAT16))
    for made in (exact, rounded):
        made.network.eval()  # running statistics are of activations
    inputs, _ = exact.data.train.batch(slice(0, 32))
    a, b = exact.forward(inputs), rounded.forward(inputs)
    assert a.dtype == b.dtype == torch.float32
    assert 0 < (a - b).norm() < 0.1 * a.norm()
    b.sum().backward()
    assert all(p.dtype == p.grad.dtype == torch.float32 for p in rounded.network.parameters())
    assert exact.measure(0) == rounded.measure(0)
    key = "log_norm/weight_norm"
    assert exact.points[0][key] == rounded.points[0][key]


def test_a_run_in_bfloat16_repeats_its_bits(run):
    changes = {"architecture": VIT, "compute": BFLOAT16}
    assert run(**changes) == run(**changes) != run(architecture=VIT)


def test_the_memory_layout_changes_rounding_only(run, prepared):
    plain = {"architecture": CNN, "compute": {"channels_last": False}}
    for a, b in zip(run(architecture=CNN), run(**plain), strict=True):
        assert a == pytest.approx(b, rel=1e-4)
    for changes, last in (({"architecture": CNN}, True), (plain, False)):
        weight = prepared(**changes).network[2].weight
        assert weight.is_contiguous(memory_format=torch.channels_last) is last


def test_measures_are_given_contiguous_weights(prepared):
    from normlaw_registry.linear import trace_linear_maps

    made = prepared(architecture=CNN)
    assert all(m.weight.is_contiguous() for m in trace_linear_maps(made.network, made.data.splits.task))


@pytest.mark.slow
def test_compilation_changes_rounding_only(prepared):
    try:
        compute._require_compiler()
    except InputError as missing:
        pytest.skip(str(missing))
    found = []
    for choice in ("off", "default"):
        made = prepared(compute={"compile": choice})
        inputs, labels = made.data.train.batch(slice(0, 16))
        loss = made.loss(made.forward(inputs), labels)
        found.append([loss.detach(), *torch.autograd.grad(loss, list(made.network.parameters()))])
    for plain, compiled in zip(*found, strict=True):
        torch.testing.assert_close(compiled, plain)


def test_compiling_without_a_compiler_is_refused(prepared, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(InputError, match=r"needs a C\+\+ compiler"):
        prepared(compute={"compile": "default"})


class Reads(TorchDispatchMode):
    """Counts what makes the program wait for the device: values read out, and shapes that depend on them."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        names = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "_unique2")
        self.count += func.overloadpacket.__name__ in names
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("architecture", [CNN, VIT, {"name": "resnet", "preset": "mnist"}, GPT, LSTM])
def test_steps_between_two_measurements_read_the_device_once(prepared, architecture):
    data = {"dataset": TOKENS} if architecture in (GPT, LSTM) else {}
    made = prepared(architecture=architecture, steps=30, measuring_points=2, **data)  # measured at 0, 1 and 30
    steps = Descent(made).steps()
    assert next(steps) + next(steps) == 1
    with Reads() as reads:
        assert next(steps) == 30
    assert reads.count == 1  # whether all losses were finite


LOOPS = ("field, 0 workers", "normlaw float32, 2 stacked")


def _train_without_mlflow(short: str, script: str, *few: str) -> None:
    """Train a run and each loop of the benchmark as what has imported neither MLflow nor normlaw."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [*sys.modules]:
            if name.partition(".")[0] in ("mlflow", "normlaw", "normlaw_plugins", "normlaw_registry"):
                patch.delitem(sys.modules, name)
        patch.setitem(sys.modules, "mlflow", None)  # importing it raises ImportError
        with patch.context() as once:
            once.setitem(sys.modules, "numba", None)
            spec, loop = import_module("normlaw.study.spec"), import_module("normlaw.training.loop")
            catalogue = import_module("normlaw_registry").load_catalogue()
            run = spec.RunSpec.model_validate(json.loads(short)).resolved(catalogue)
            print(len(loop.train(run, catalogue)), flush=True)
        patch.syspath_prepend(str(Path(script).parent))
        for name in LOOPS:
            patch.setattr(sys, "stdin", io.StringIO("\n"))
            patch.setattr(sys, "argv", [script, *few, "--loop", "cnn", name])
            runpy.run_path(script, run_name="__main__")


@pytest.mark.slow
def test_a_run_is_trained_and_the_benchmark_runs_where_mlflow_is_not_installed(spec, tmp_path):
    """Every loop of the benchmark once, on a few images, in the process that has trained a run."""
    script = Path(__file__).parents[2] / "benchmarks" / "training.py"
    few = ["--images", "8", "--test-images", "8", "--threads", "1", "--stack", "2"]
    short = spec(steps=3).model_dump_json()
    done = forked.done(_train_without_mlflow, short, str(script), *few, folder=tmp_path, env=os.environ)
    assert done.returncode == 0, done.stderr
    points, *timed = done.stdout.splitlines()
    assert points == "4"
    assert [len(line.split()) for line in timed] == [7, 7]  # an epoch, an evaluation, norms: wall, CPU; memory
