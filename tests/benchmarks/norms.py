"""What norms cost: python tests/benchmarks/norms.py [name ..]

For the paper's networks at CIFAR-10 size, all in one process, in CPU seconds of one thread:

- one warm `spectral_complexity_kernel` against float64 `torch.linalg.svdvals` over the same matrices;
- `spectral_complexity`, cold and warm, as a share of one training epoch over 10,000 images, whose time is
  extrapolated from a few steps of 128; warm means 20 training steps of 32 images after the last measurement;
- all measures that need no training data in one pass against the same measures one after the other;
- memory: the largest sum of tensors alive during a pass, over the network's largest layer.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Sequence
from time import process_time
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from normlaw.training.measuring import Measurer
from normlaw.training.threads import use_one_thread
from normlaw_registry import (
    Architecture,
    ComplexityMeasure,
    InputError,
    MeasuredValue,
    Task,
    load_catalogue,
    validate_params,
)
from normlaw_registry.linear import trace_linear_maps

TASK = Task(input_shape=(3, 32, 32), num_classes=10)
KERNEL, EXACT = "spectral_complexity_kernel", "spectral_complexity"
OF_WEIGHTS = (
    *(EXACT, KERNEL, "spectral_complexity_released", "spectral_norm_product", "frobenius_norm", "l1_norm"),
    *("group_norm_2_1", "weight_norm", "distance_from_initialisation"),
)


class Images:
    """Noisy templates of ten classes, so that there is something to learn."""

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(0)
        self.templates = torch.randn(10, *TASK.input_shape, generator=self.generator)

    def draw(self, n: int) -> tuple[Tensor, Tensor]:
        labels = torch.randint(10, (n,), generator=self.generator)
        noise = torch.randn(n, *TASK.input_shape, generator=self.generator)
        return self.templates[labels] + 2 * noise, labels


class Training:
    """One network under training."""

    def __init__(self, name: str) -> None:
        catalogue = load_catalogue()
        self.architecture = catalogue.get(Architecture, name)
        params = validate_params(self.architecture, self.architecture.presets["cifar10"])
        torch.manual_seed(0)
        self.network: nn.Module = self.architecture.build(params, TASK)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=3e-4 if name == "vit" else 1e-3)
        self.images = Images()

    def steps(self, count: int, batch: int) -> float:
        """Train and return the CPU seconds of the fastest step."""
        self.network.train()
        fastest = float("inf")
        for _ in range(count):
            inputs, labels = self.images.draw(batch)
            start = process_time()
            self.optimizer.zero_grad()
            cross_entropy(self.network(inputs), labels).backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            fastest = min(fastest, process_time() - start)
        return fastest

    def measurer(self, names: Sequence[str]) -> Measurer:
        found = [load_catalogue().get(ComplexityMeasure, name) for name in names]
        return Measurer([(m, m.params()) for m in found], self.network, self.architecture, TASK)

    def take(self, measurer: Measurer) -> dict[str, MeasuredValue]:
        def no_data() -> Any:
            raise InputError("this benchmark takes norms of weights alone")

        return measurer.measure(
            self.network, train_batches=no_data, train_labels=torch.zeros(0), train_logits=no_data
        )

    def seconds(self, measurer: Measurer) -> float:
        start = process_time()
        self.take(measurer)
        return process_time() - start


class Alive(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the storages that tensor operations make and that are alive at one time."""

    def __init__(self, known: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.most = 0
        self.seen = {t.untyped_storage().data_ptr() for t in (*known.parameters(), *known.buffers())}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                place, size = storage.data_ptr(), storage.nbytes()
                if size and place not in self.seen:
                    self.seen.add(place)
                    self.now += size
                    self.most = max(self.most, self.now)
                    weakref.finalize(storage, self._freed, place, size)
        return result

    def _freed(self, place: int, size: int) -> None:
        self.now -= size
        self.seen.discard(place)


def svd_seconds(training: Training) -> float:
    matrices = [m.matrix().double() for m in trace_linear_maps(training.network, TASK, training.architecture)]
    start = process_time()
    for matrix in matrices:
        torch.linalg.svdvals(matrix)
    return process_time() - start


def report(name: str) -> None:
    training = Training(name)
    kernel, exact, together = (training.measurer(names) for names in ([KERNEL], [EXACT], OF_WEIGHTS))
    apart = [training.measurer([measure]) for measure in OF_WEIGHTS]
    training.steps(20, 32)
    cold = training.seconds(exact)
    for measurer in (kernel, together, *apart):
        training.seconds(measurer)
    training.steps(20, 32)
    warm = training.seconds(exact)
    of_kernel = svd = float("inf")
    for _ in range(3):
        of_kernel, svd = min(of_kernel, training.seconds(kernel)), min(svd, svd_seconds(training))
    one_pass = training.seconds(together)
    one_by_one = sum(training.seconds(measurer) for measurer in apart)
    epoch = training.steps(3, 128) * 10_000 / 128
    largest = max(p.numel() * p.element_size() for p in training.network.parameters())
    with Alive(training.network) as alive:
        training.take(exact)
    print(f"{name}: svdvals {svd:.2f} s, kernel variant {of_kernel:.3f} s: {svd / of_kernel:.1f} times faster")
    share = f"{warm / epoch:.2%} of an epoch of {epoch:.0f} s"
    print(f"  exact variant cold {cold:.2f} s, warm {warm:.2f} s: {share}")
    print(f"  {len(apart)} measures one by one {one_by_one:.2f} s, in one pass {one_pass:.2f} s: ", end="")
    print(f"{one_by_one / one_pass:.1f} times faster")
    print(f"  memory {alive.most / 2**20:.0f} MiB: {alive.most / largest:.2f} of the largest layer", flush=True)


if __name__ == "__main__":
    use_one_thread()
    for architecture in sys.argv[1:] or ["cnn", "resnet", "vit"]:
        report(architecture)
