"""Make torchvision importable beside a torch build that its compiled operators were not made for.

PyPI's torchvision is compiled against a CUDA torch. Beside a CPU torch its operator library does not load, and
`import torchvision` then fails on operators that nobody declared. The data sets and models that normlaw takes
from torchvision are pure Python: they work once those operators' schemas are declared, without implementations.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

UNGUARDED_OPERATORS = ("nms", "qnms")
"""What torchvision attaches shape functions to on import without asking whether it exists (0.20 to 0.28)."""
SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@cache
def prepare_torchvision() -> None:
    """Call before importing torchvision. Does nothing where its compiled operators load."""
    import torch

    if not _compiled_operators_load():
        for name in UNGUARDED_OPERATORS:
            if not hasattr(torch.ops.torchvision, name):
                torch.library.define(f"torchvision::{name}", SCHEMA)


def _compiled_operators_load() -> bool:
    import torch

    spec = find_spec("torchvision")  # does not import it
    if spec is None or spec.origin is None:
        return True  # there is nothing to repair; the import will say what is missing
    folder = Path(spec.origin).parent
    for library in (*folder.glob("_C*.so"), *folder.glob("_C*.pyd")):
        try:
            torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
        except OSError:
            return False
        return True
    return False
