"""scikit-learn's handwritten digits: 1,797 images of 8x8 pixels, shipped in its wheel."""

from __future__ import annotations

from pydantic import Field

from normlaw_registry import Dataset, LoadContext, Outline, Params, Split, Splits, Task

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


def load_digits(params: DigitsParams, _context: LoadContext) -> Splits:
    """Return 1,797 images parted into training and test images, the same for every run."""
    import numpy as np
    import torch
    from sklearn.datasets import load_digits as load_from_wheel

    pixels, labels = load_from_wheel(return_X_y=True)  # (1797, 64) floats 0..16, (1797,)
    images = torch.from_numpy((pixels * INK).astype(np.uint8)).reshape(-1, 1, 8, 8)
    # RandomState's stream is frozen by NumPy's compatibility policy, a Generator's is not.
    order = torch.from_numpy(np.random.RandomState(SPLIT_SEED).permutation(len(labels)))
    labels = torch.from_numpy(labels.astype(np.int64))
    train, test = order[: -params.test_size], order[-params.test_size :]
    return Splits(
        task=TASK,
        train=Split(inputs=images[train], labels=labels[train]),
        test=Split(inputs=images[test], labels=labels[test]),
        mean=(MEAN,),
        std=(STD,),
    )


DIGITS = Dataset(
    name="digits",
    summary="1,797 handwritten digits of 8x8 pixels, no download",
    source="Alpaydin and Kaynak 1998, UCI Optical Recognition of Handwritten Digits",
    params=DigitsParams,
    load=load_digits,
    outline=lambda params: Outline(task=TASK, test_size=params.test_size),
)
