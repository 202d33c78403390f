"""Which device runs train on."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from normlaw_registry import InputError

LARGEST_STACK = 64
"""Runs trained together on a GPU, where they fit its memory."""


def choose_device(wanted: str) -> str:
    """Return a device's name as torch has it; 'auto' is the first GPU, or the CPU where there is none.

    Torch is asked, whose import takes more than a second of the processor's time, only where there is a choice.

    Raises:
        InputError: this machine, or the installed build of torch, has no such device.

    """
    if wanted == "cpu" or (wanted == "auto" and _is_built_without_gpu()):
        return "cpu"
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"--device {wanted}: torch {torch.__version__} cannot use it here: {reason} "
            "(give auto, cpu, cuda or cuda:NUMBER)"
        ) from None
    return wanted


def _is_built_without_gpu() -> bool:
    with suppress(PackageNotFoundError):  # of a torch that was not installed as packages are
        return version("torch").endswith("+cpu")
    return False


def processors(device: str) -> tuple[str, ...]:
    """Return what trains side by side on this machine: each GPU where any will do, else one of each core's CPU.

    >>> processors("cuda:1")
    ('cuda:1',)
    """
    if device == "cuda":
        import torch

        return tuple(f"cuda:{number}" for number in range(torch.cuda.device_count()))
    return (device,) * (available_cores() if device == "cpu" else 1)


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def largest_stack(device: str) -> int:
    """Return how many runs are trained together unless the user says otherwise.

    On a CPU each run alone: there the same specification then gives the same bits, whatever it is run with,
    and stacked convolutions are slower.
    """
    return LARGEST_STACK if device.startswith("cuda") else 1


def describe_device(name: str) -> str:
    """Return what a run's record says of its device."""
    if not name.startswith("cuda"):
        return name
    import torch

    return torch.cuda.get_device_name(name)
