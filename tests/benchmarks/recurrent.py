"""What the LSTM that stacks can train costs over torch's own, on one thread.

    .venv/bin/python tests/benchmarks/recurrent.py

Both have the same weights and see the same batch; they are measured as often, in turns that change which is
first, in one process. The ratio is that of CPU times: the median over the turns, with the least and largest.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time

import torch
from torch import Tensor, nn

from normlaw.training.threads import use_one_thread
from normlaw_plugins.architectures.recurrent import SteppedLSTM

TURNS, TIMES = 9, 5
WIDTH, PLACES = 64, 64
SETTINGS = ((128, 1, 32), (128, 1, 128), (256, 2, 32))
"""Hidden units, layers, sequences of a batch."""


def main() -> None:
    use_one_thread()
    for hidden, layers, batch in SETTINGS:
        own = SteppedLSTM(WIDTH, hidden, layers, batch_first=True)
        torchs = nn.LSTM(WIDTH, hidden, layers, batch_first=True)
        torchs.load_state_dict(own.state_dict())
        inputs = torch.randn(batch, PLACES, WIDTH)

        def states(network: nn.Module, inputs: Tensor = inputs) -> Tensor:
            found = network(inputs)
            return found if isinstance(found, Tensor) else found[0]

        def forward(network: nn.Module, states: Callable[[nn.Module], Tensor] = states) -> None:
            with torch.no_grad():
                states(network)

        def step(network: nn.Module, states: Callable[[nn.Module], Tensor] = states) -> None:
            torch.autograd.grad(states(network).square().mean(), list(network.parameters()))

        for name, action in (("forward", forward), ("forward and backward", step)):
            ratios = sorted(ratio(action, own, torchs, turn) for turn in range(TURNS))
            told = f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            print(f"{hidden} hidden units, {layers} layers, batch of {batch}, {name}: {told}", flush=True)


def ratio(action: Callable[[nn.Module], None], own: nn.Module, torchs: nn.Module, turn: int) -> float:
    """Return the CPU time of one network over that of the other; odd turns begin with the other."""
    taken: dict[bool, float] = {}
    for is_own in (turn % 2 == 0, turn % 2 == 1):
        network = own if is_own else torchs
        action(network)
        start = process_time()
        for _ in range(TIMES):
            action(network)
        taken[is_own] = process_time() - start
    return taken[True] / taken[False]


if __name__ == "__main__":
    main()
