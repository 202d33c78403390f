"""Take gradients of networks as a run lays them out, in processes of their own, and print those that are wrong.

By the rule, where none is expected to crash, a process takes those of several, and each is tried by itself only
where something was wrong with one of them.

Each argument is `HOW,INSTRUCTIONS`. How is `rule`, or `asked` to lay networks out as asked for, whatever comes
of it; instructions are what oneDNN calls them, which reads them when it is first used. A line of JSON each: how
many networks were tried, and those that crashed, hung, or whose gradient is not that of float64 in contiguous
format.
"""

from __future__ import annotations

import copy
import ctypes
import gc
import itertools
import json
import os
import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
import torch._dynamo  # each child would import it, for most of a second
from torch import Tensor, nn

from normlaw.study.run_options import Compute
from normlaw.training.compute import Forward, laid_out
from normlaw_registry import Architecture, Task, load_catalogue, validate_params
from normlaw_registry.linear import channels_last

SECONDS = 60
"""Of the processor, that a network may take; and ten times as many of the clock, for one that is stuck."""
TOLERANCE = {"float32": 1e-3, "bfloat16": 0.1}
CATALOGUE = load_catalogue()
LANES = channels_last.LANES
Build = Callable[[], nn.Module]
Network = tuple[str, Build, tuple[int, int, int], str]
TOGETHER = {"rule": 23, "asked": 1}
"""Networks a process."""
_PERTURB = -6
"""Of mallopt: fill blocks as they are taken and freed, so that a damaged heap is noticed."""


def convolutions() -> Iterator[Network]:
    """Yield name, network, image shape and precision for every kind of 1x1 convolution."""
    kinds: list[dict[str, Any]] = [
        {"stride": 2, "bias": True},
        {"stride": (1, 2)},
        {"stride": 4},
        {"stride": 3, "padding": 1},
        {"stride": 2, "dilation": 2},
        {"stride": 2, "groups": 2},
        {"stride": 1},
    ]
    pairs = [(2, 4), (3, 8), (6, 16), (12, 16), (16, 8), (20, 16)]
    for (inputs, outputs), kind in itertools.product(pairs, kinds):
        if inputs % kind.get("groups", 1):
            continue
        for precision in ("float32", "bfloat16") if kind == {"stride": (1, 2)} else ("float32",):
            layer = dict({"bias": False}, **kind)

            def build(inputs: int = inputs, outputs: int = outputs, layer: dict[str, Any] = layer) -> nn.Module:
                return nn.Sequential(nn.Conv2d(inputs, outputs, 1, **layer))

            yield f"{inputs} to {outputs} channels, {kind}, {precision}", build, (inputs, 64, 64), precision
    for inputs, outputs in ((8, 4), (16, 12)):

        def up(inputs: int = inputs, outputs: int = outputs) -> nn.Module:
            return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 1, stride=2, output_padding=1))

        yield f"transposed, {inputs} to {outputs}", up, (inputs, 32, 32), "float32"


def resnets() -> Iterator[Network]:
    """Yield ResNets of 1 to 20 channels."""
    architecture = CATALOGUE.get(Architecture, "resnet")
    task = Task(input_shape=(3, 64, 64), num_classes=10)
    for width in range(1, 21):
        params = validate_params(architecture, {"blocks": [1, 1], "channels": [width, 2 * width]})
        yield (
            f"resnet of {width} channels",
            partial(architecture.build, params, task),
            (3, 64, 64),
            "float32",
        )


def gradient(network: nn.Module, apply: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Return the gradient of a mean square by all weights, in float64."""
    network.zero_grad()
    apply(images).square().mean().backward()  # type: ignore[no-untyped-call]
    return torch.cat([p.grad.double().flatten() for p in network.parameters() if p.grad is not None])


def difference(build: Build, shape: tuple[int, int, int], precision: str) -> float:
    """Return the largest relative difference from float64 over a few batches."""
    torch.manual_seed(0)
    exact = build().double()
    compute = Compute(precision=precision)
    network, layout = laid_out(
        copy.deepcopy(exact).float(), compute, "cpu", Task(input_shape=shape, num_classes=2)
    )
    apply, worst = Forward(network, compute, layout), 0.0
    for _ in range(2):  # what the first one damaged shows in the second
        images = torch.randn(2, *shape).to(memory_format=layout.torch)
        wanted = gradient(exact, exact, images.contiguous().double())
        worst = max(worst, float((gradient(network, apply, images) - wanted).norm() / wanted.norm()))
    return worst


def apart(instructions: str, networks: Sequence[Network]) -> str:
    """Return what is wrong with any of some networks, found out in a process of their own; empty: nothing."""
    child = os.fork()  # nothing has been computed yet: torch has no threads
    if child == 0:
        os.environ["ONEDNN_MAX_CPU_ISA"] = instructions
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        signal.alarm(10 * SECONDS)
        right = (difference(build, shape, kind) < TOLERANCE[kind] for _, build, shape, kind in networks)
        os._exit(0 if all(right) else 1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == 0:
        return ""
    return "wrong, or an error" if code > 0 else signal.Signals(-code).name


def wrong(how: str, instructions: str) -> tuple[int, list[str]]:
    """Return how many networks were tried, and those whose gradients are wrong."""
    channels_last.LANES = {"rule": LANES, "asked": 0}[how]
    thinned = 1 if how == "rule" else 6  # each of those that crash takes a while to do so
    tried = [*convolutions(), *resnets()][::thinned]
    found = []
    for start in range(0, len(tried), TOGETHER[how]):
        several = tried[start : start + TOGETHER[how]]
        if not (together := apart(instructions, several)):
            continue
        alone = [f"{network[0]}: {what}" for network in several if (what := apart(instructions, [network]))]
        found += alone or [f"{several[0][0]} to {several[-1][0]}, one after the other: {together}"]
    return len(tried), found


def tell(*arguments: str) -> None:
    """Print what is wrong by each argument."""
    next(resnets())[1]()  # imports torchvision, as each child would
    gc.freeze()
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:  # glibc's
        mallopt(_PERTURB, 165)
    for argument in arguments:
        print(json.dumps(wrong(*argument.split(","))), flush=True)
