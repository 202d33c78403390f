"""One small step of each architecture against float64, in a process of its own: a wrong kernel may crash it."""

from __future__ import annotations

import copy
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator

from normlaw.machine.finding import Finding, Grade
from normlaw_registry import Architecture, Catalogue

TOLERANCE = 0.02
"""In a deep network with batch normalisation rounding, which turns single ReLUs on and off, comes to 0.005."""
SECONDS = 120
"""Of processor time, as a busy machine says nothing of the network; by the clock, PATIENCE times as many."""
PATIENCE = 5
IMAGES = (3, 32, 32)


def check(catalogue: Catalogue, architectures: tuple[str, ...]) -> Iterator[Finding]:
    """Yield whether the gradient of each architecture, with its defaults, is right on this CPU.

    Args:
        catalogue: what is installed.
        architectures: names; without any, all that are installed, of which some may not take images.

    """
    for name in architectures or catalogue.names(Architecture):
        yield _apart(name, "bad" if architectures else "doubtful")


def _apart(name: str, refused: Grade) -> Finding:
    check = f"gradients {name}"
    command = [sys.executable, "-m", "normlaw.machine.numerics", name, str(SECONDS)]
    advice = "do not train it on this machine's CPU; try another version of torch"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE * SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Finding(check, "bad", f"not done after {PATIENCE * SECONDS} s", advice)
    if done.returncode == -signal.SIGXCPU:
        return Finding(check, "bad", f"not done after {SECONDS} s of processor time", advice)
    if done.returncode < 0:
        return Finding(check, "bad", f"the process was killed by signal {-done.returncode}", advice)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it failed"]
        return Finding(check, refused, lines[-1], "see `normlaw plugins`, and name an architecture for images")
    difference = float(done.stdout)
    if not difference < TOLERANCE:
        return Finding(check, "bad", f"differs from float64 by {difference:.1g} of its size", advice)
    return Finding(check, "good", f"within {difference:.0e} of float64")


def difference(name: str) -> float:
    """Return |g - g64| / |g64| for the gradient g of a batch's loss, of a network as a run lays it out."""
    from normlaw_registry import Task, load_catalogue, validate_params

    architecture = load_catalogue().get(Architecture, name)  # which tells of a wrong name without torch
    import torch
    from torch.nn.functional import cross_entropy

    from normlaw.study.run_options import Compute
    from normlaw.training.compute import Forward, laid_out
    from normlaw_registry.made_up import random_split

    torch.set_num_threads(1)
    torch.manual_seed(0)
    task = Task(input_shape=IMAGES, num_classes=10)
    if task.kind not in architecture.tasks:
        task = Task(input_shape=(16,), kind="next_token", vocabulary=32)
    exact = architecture.build(validate_params(architecture, {}), task)
    network, layout = laid_out(copy.deepcopy(exact), Compute(), "cpu", task)
    exact.double()
    batch = random_split(task, 8)
    inputs, labels = batch.inputs, batch.labels.flatten()
    outputs = (
        Forward(network, Compute(), layout)(inputs),
        exact(inputs.double() if inputs.is_floating_point() else inputs),
    )
    for answers in outputs:
        cross_entropy(answers.reshape(-1, task.num_outputs), labels).backward()  # type: ignore[no-untyped-call]
    found, wanted = (
        torch.cat([p.grad.double().flatten() for p in each.parameters() if p.grad is not None])
        for each in (network, exact)
    )
    return float((found - wanted).norm() / wanted.norm())


if __name__ == "__main__":
    from normlaw_registry import NormlawError

    resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[2]), resource.getrlimit(resource.RLIMIT_CPU)[1]))
    try:
        print(difference(sys.argv[1]))
    except NormlawError as error:
        sys.exit(str(error).partition("\n")[0])
