"""Which device runs train on."""

from __future__ import annotations

from normlaw_registry import InputError


def choose_device(wanted: str) -> str:
    """Return a device's name as torch has it; 'auto' is the first GPU, or the CPU where there is none.

    Raises:
        InputError: this machine, or the installed build of torch, has no such device.

    """
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


def describe_device(name: str) -> str:
    """Return what a run's record says of its device."""
    import torch

    return torch.cuda.get_device_name(name) if name.startswith("cuda") else name
