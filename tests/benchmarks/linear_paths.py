"""What following the norm costs: run with `python tests/benchmarks/linear_paths.py`.

Ratios of times taken in turns in one process, the median over the repeats with the ratio of the fastest in
brackets: one gradient on all examples against reading the data once, against two products with a matrix in
numpy, and against an autograd step, all in float64; the compiler's cost; gradients to norm 100 against fixed
steps.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim import SGD, Optimizer

from normlaw.training.linear.gradient_flow import gradient_flow
from normlaw.training.linear.margins import Array, MarginState, SignedInputs
from normlaw.training.threads import use_one_thread


def in_turns(repeats: int, *works: Callable[[], object]) -> Array:
    """Return the seconds of each work in each repeat, (repeats, works), after one that does not count."""
    seconds = np.empty((repeats + 1, len(works)))
    for row in seconds:
        for i, work in enumerate(works):
            start = perf_counter()
            work()
            row[i] = perf_counter() - start
    return seconds[1:]


def ratio(over: Array, under: Array) -> str:
    return f"{np.median(over / under):.2f} ({over.min() / under.min():.2f})"


def teacher_rows(N: int, alpha: float) -> Array:
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((int(alpha * N), N))
    return np.sign(inputs @ rng.standard_normal(N))[:, None] * inputs


def one_evaluation() -> None:
    print(f"{'N':>5} {'alpha':>6} {'MB':>6} {'over bound':>13} {'numpy / ours':>14} {'autograd / ours':>16}")
    for N, alpha in ((1000, 0.5), (1000, 1.0), (1000, 2.0), (1000, 4.0), (1000, 16.0), (100, 1.0), (100, 4.0)):
        rows = teacher_rows(N, alpha)
        examples, v, flat = SignedInputs(rows), np.full(N, 0.03), rows.ravel()
        inputs, network = torch.from_numpy(rows), nn.Linear(N, 1, bias=False, dtype=torch.float64)
        labels = torch.ones(len(rows), dtype=torch.float64)
        optimizer = SGD(network.parameters(), lr=1e-9)

        def autograd(
            inputs: Tensor = inputs,
            network: nn.Module = network,
            labels: Tensor = labels,
            optimizer: Optimizer = optimizer,
        ) -> None:
            optimizer.zero_grad()
            softplus(-2 * labels * network(inputs)[:, 0]).mean().backward()  # type: ignore[no-untyped-call]
            optimizer.step()

        works = (lambda f=flat: f @ f, lambda e=examples, v=v: e.at(v), autograd)
        two_products = lambda rows=rows, v=v: (1.0 / (1.0 + np.exp(2.0 * (rows @ v)))) @ rows  # noqa: E731
        bound, ours, theirs, numpys = in_turns(100, *works, two_products).T
        print(
            f"{N:5} {alpha:6g} {rows.nbytes / 1e6:6.1f} {ratio(ours, bound):>13} {ratio(numpys, ours):>14} "
            f"{ratio(theirs, ours):>16}"
        )


COMPILE = """
from time import perf_counter
import numpy as np
import scipy.integrate, torch  # which a run that follows the norm imports in any case
from normlaw.training.linear.margins import SignedInputs
start = perf_counter()
SignedInputs(np.ones((1, 1))).at(np.ones(1))
print(perf_counter() - start)
"""


def first_call() -> None:
    """Print what a process pays once: importing numba, and compiling or reading back what was compiled."""
    with TemporaryDirectory() as folder:
        for what in ("compiled anew", "compiled before"):
            environment = os.environ | {"NUMBA_CACHE_DIR": folder}
            command = [sys.executable, "-c", COMPILE]
            seconds = subprocess.run(
                command, env=environment, check=True, capture_output=True, text=True
            ).stdout
            print(f"first gradient of a process, {what}: {float(seconds):.2f} s")


class Counting(SignedInputs):
    """Counts gradients, and adds up the time that gradient descent would have needed between them."""

    gradients = 0

    def at(self, v: Array) -> MarginState:
        self.gradients += 1
        return super().at(v)


def fixed_steps(rows: Array, norm: float, rate: float, limit: int) -> int | None:
    """Return how many steps of gradient descent reach the norm, None if more than `limit`."""
    v = 1e-3 * np.ones(rows.shape[1]) / np.sqrt(rows.shape[1])
    for step in range(limit):
        if np.linalg.norm(v) >= norm:
            return step
        v = v + rate * 2.0 * (1.0 / (1.0 + np.exp(np.minimum(2.0 * rows @ v, 700.0)))) @ rows / len(rows)
    return None


def steps_to_a_norm() -> None:
    print("\nGradients from norm 0.001, N = 100, tolerance 1e-5; fixed steps of half the largest stable rate")
    print(f"{'alpha':>6} {'norm':>6} {'adaptive':>9} {'fixed':>12}")
    for alpha in (4.0, 64.0):
        rows = teacher_rows(100, alpha)
        start = 1e-3 * np.ones(100) / 10.0
        rate = 1.0 / float(np.linalg.eigvalsh(rows.T @ rows / len(rows)).max())  # half of 2 / max curvature
        for norm in (3.0, 10.0, 30.0, 100.0):
            examples = Counting(rows)
            list(gradient_flow(examples, start, [norm], 1e-5))
            fixed = fixed_steps(rows, norm, rate, 200_000)
            shown = f"{fixed:,}" if fixed else "> 200,000"
            print(f"{alpha:6g} {norm:6g} {examples.gradients:9,} {shown:>12}")


if __name__ == "__main__":
    use_one_thread()
    one_evaluation()
    first_call()
    steps_to_a_norm()
