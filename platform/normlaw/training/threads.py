"""One thread a run: torch's own, and those of the BLAS that NumPy and SciPy bring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any


def use_one_thread() -> None:
    """Let this process train in one thread, until it ends; to be called in the thread that trains.

    Workers side by side then do not fight for cores, and a run's bits, which depend on the number of threads,
    are the same on every machine. Each worker's norms, which SciPy computes, would else use all cores.
    """
    import torch

    torch.set_num_threads(1)
    _one_interop_thread()
    _pools().limit(limits=1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread while the block lasts."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with one_blas_thread():
            yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let NumPy and SciPy use one thread while the block lasts; without torch."""
    with _known_pools().limit(limits=1):
        yield


def _pools() -> Any:
    """Return the pools of threads that this process has, those of NumPy and SciPy among them."""
    from scipy import linalg  # noqa: F401  # brings SciPy's BLAS, whose threads can be set once it is there
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@cache
def _known_pools() -> Any:
    """Return those that there were when first asked for: a look takes 4 ms, and each fit begins with one."""
    return _pools()


@cache
def _one_interop_thread() -> None:
    import torch

    with suppress(RuntimeError):  # torch has begun to work in this process, and takes no other number now
        torch.set_num_interop_threads(1)
