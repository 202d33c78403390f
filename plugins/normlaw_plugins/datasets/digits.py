"""scikit-learn's handwritten digits: 1,797 images of 8x8 pixels, shipped in its wheel."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_registry import Dataset, DatasetInfo, LoadContext, Params, Split, Splits, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TASK = Task(input_shape=(1, 8, 8), num_classes=10)
IMAGES = 1797
SPLIT_SEED = 0
INK = 15
"""uint8 value of one of the source's 16 ink levels: an exact multiple, so full ink is 240, not 255."""
MEAN = 0.2874
STD = 0.3538
"""Mean and standard deviation of the first 1,437 images' pixels x / 255."""


class DigitsParams(Params):
    """How the images are parted."""

    test_size: int = Field(360, ge=1, lt=IMAGES, description="images kept for the test; the others train")


def read_from_wheel() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return pixels, (1797, 64) in 0..16, and labels, (1797,), as `sklearn.datasets.load_digits` does.

    Its file is read without it: importing scikit-learn would bring pandas and scipy.stats to every worker, most
    of a second. Where the file is not in its place, scikit-learn is asked.
    """
    import numpy as np

    wheel = find_spec("sklearn")  # found, not imported
    places = wheel.submodule_search_locations if wheel is not None else None
    file = Path(places[0] if places else "", "datasets", "data", "digits.csv.gz")
    if not file.is_file():
        from sklearn.datasets import load_digits as load_from_wheel

        source = load_from_wheel()
        return source.data, source.target
    with gzip.open(file, "rt") as lines:
        table = np.loadtxt(lines, delimiter=",")  # (1797, 65)
    return table[:, :-1], table[:, -1]


def load_digits(params: DigitsParams, _context: LoadContext) -> Splits:
    """Return 1,797 images parted into training and test images, the same for every run."""
    import numpy as np
    import torch

    pixels, labels = read_from_wheel()
    images = torch.from_numpy((pixels * INK).astype(np.uint8)).reshape(-1, 1, 8, 8)
    # RandomState's stream is frozen by NumPy's compatibility policy, a Generator's is not.
    order = torch.from_numpy(np.random.RandomState(SPLIT_SEED).permutation(len(labels)))
    classes = torch.from_numpy(labels.astype(np.int64))
    train, test = order[: -params.test_size], order[-params.test_size :]
    return Splits(
        task=TASK,
        train=Split(inputs=images[train], labels=classes[train]),
        test=Split(inputs=images[test], labels=classes[test]),
        mean=(MEAN,),
        std=(STD,),
    )


DIGITS = Dataset(
    name="digits",
    summary="1,797 handwritten digits of 8x8 pixels, no download",
    source="Alpaydin and Kaynak 1998, UCI Optical Recognition of Handwritten Digits",
    params=DigitsParams,
    load=load_digits,
    info=lambda params: DatasetInfo(task=TASK, test_size=params.test_size),
)
