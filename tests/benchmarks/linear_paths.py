"""What following the norm costs: run with `OMP_NUM_THREADS=1 python tests/benchmarks/linear_paths.py`.

Ratios from one process, best of many alternating repeats: one gradient on all examples against reading the
data once and against an autograd step, all in float64; and gradients to norm 100 against fixed steps.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
import torch
from torch.nn.functional import softplus

from normlaw.training.linear.gradient_flow import gradient_flow
from normlaw.training.linear.margins import Array, SignedInputs, State


def best_of(repeats: int, *works: Callable[[], object]) -> list[float]:
    best = [float("inf")] * len(works)
    for _ in range(repeats):
        for i, work in enumerate(works):
            start = perf_counter()
            work()
            best[i] = min(best[i], perf_counter() - start)
    return best


def teacher_rows(N: int, alpha: float) -> Array:
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((int(alpha * N), N))
    return np.sign(inputs @ rng.standard_normal(N))[:, None] * inputs


def one_evaluation() -> None:
    N = 1000
    print(f"One gradient, N = {N}: time over that of reading the data once; and autograd's over ours")
    print(f"{'alpha':>6} {'MB':>6} {'over bound':>11} {'autograd / ours':>16}")
    for alpha in (0.5, 1.0, 2.0, 4.0, 16.0):
        rows = teacher_rows(N, alpha)
        examples, v, flat = SignedInputs(rows), np.full(N, 0.03), rows.ravel()
        inputs, network = torch.from_numpy(rows), torch.nn.Linear(N, 1, bias=False, dtype=torch.float64)
        labels = torch.ones(len(rows), dtype=torch.float64)
        optimizer = torch.optim.SGD(network.parameters(), lr=1e-9)

        def autograd(inputs=inputs, network=network, labels=labels, optimizer=optimizer) -> None:
            optimizer.zero_grad()
            softplus(-2 * labels * network(inputs)[:, 0]).mean().backward()
            optimizer.step()

        bound, ours, theirs = best_of(30, lambda f=flat: f @ f, lambda e=examples, v=v: e.at(v), autograd)
        print(f"{alpha:6g} {rows.nbytes / 1e6:6.0f} {ours / bound:11.2f} {theirs / ours:16.2f}")


class Counting(SignedInputs):
    """Counts gradients, and adds up the time that gradient descent would have needed between them."""

    gradients = 0

    def at(self, v: Array) -> State:
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
    torch.set_num_threads(1)
    one_evaluation()
    steps_to_a_norm()
