"""GPUs, and whether the installed torch can use them."""

from __future__ import annotations

import shutil

from normlaw.machine.finding import Finding


def check() -> list[Finding]:
    """Return the GPUs that runs can train on."""
    import torch

    if not torch.cuda.is_available():
        if shutil.which("nvidia-smi"):
            advice = "install torch's build for your CUDA version (README, Install), or give --device cpu"
            return [Finding("gpu", "doubtful", f"torch {torch.__version__} cannot use the GPU here", advice)]
        return [Finding("gpu", "good", "none; runs train on the CPU")]
    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    try:
        ones = torch.ones(64, 64, device="cuda")
        right = bool((ones @ ones == 64).all())
    except RuntimeError as error:
        return [Finding("gpu", "bad", str(error).partition("\n")[0], "give --device cpu, or mend the driver")]
    if not right:
        return [Finding("gpu", "bad", f"{names[0]} computes wrongly", "give --device cpu")]
    return [Finding("gpu", "good", ", ".join(names))]
