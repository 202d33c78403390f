"""A user's own images: one folder a class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from normlaw_plugins.datasets.image_files import Deviation, Mean, damaged
from normlaw_plugins.torchvision_import import prepare_torchvision
from normlaw_registry import Dataset, InputError, LoadContext, Params, Split, Splits, Task

if TYPE_CHECKING:
    from torch import Tensor


class ImageFolderParams(Params):
    """Parameters of `image_folder`."""

    path: str = Field(
        min_length=1,
        description="folder of `train`, `test` and, if wanted, `validation`, each of a folder a class; "
        "a relative path starts from the folder of data sets",
    )
    size: tuple[int, int] = Field(description="(height, width) in pixels; images of other sizes are resampled")
    channels: Literal[1, 3] = Field(default=3, description="1: converted to grey, 3: to RGB")
    mean: tuple[Mean, ...] = Field(default=(0.5,), description="by channel, or one value for all of them")
    std: tuple[Deviation, ...] = Field(default=(0.5,), description="by channel, or one value for all of them")

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        if min(self.size) < 1:
            raise ValueError(f"`size` must be positive, got {self.size}")
        for key, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, self.channels):
                raise ValueError(f"`{key}` has {len(values)} values for {self.channels} channels")
        return self


def load_image_folder(params: ImageFolderParams, context: LoadContext) -> Splits:
    """Return the images as uint8 tensors; classes are numbered in the alphabetical order of their folders.

    Raises:
        InputError: a folder is missing or empty, `train`, `test` and `validation` differ in their classes, or a
            file is no image that can be read; names it.

    """
    root = context.data_dir / Path(params.path).expanduser()
    train, classes = _read_split(root / "train", params)
    others = {}
    for part in ("test", "validation"):
        if part == "validation" and not (root / part).is_dir():
            continue
        others[part], found = _read_split(root / part, params)
        if found != classes:
            odd = ", ".join(sorted(set(found) ^ set(classes)))
            raise InputError(
                f"dataset 'image_folder': {root / part} and {root / 'train'} differ in classes: {odd}"
            )
    if len(classes) < 2:
        raise InputError(f"dataset 'image_folder': {root / 'train'} holds one class; two or more are needed")
    repeat = {True: params.channels, False: 1}
    return Splits(
        task=Task(input_shape=(params.channels, *params.size), num_classes=len(classes)),
        train=train,
        test=others["test"],
        validation=others.get("validation"),
        mean=params.mean * repeat[len(params.mean) == 1],
        std=params.std * repeat[len(params.std) == 1],
    )


def _read_split(folder: Path, params: ImageFolderParams) -> tuple[Split, list[str]]:
    prepare_torchvision()
    import torch
    from torchvision.datasets import ImageFolder

    try:
        found = ImageFolder(folder)
    except OSError as error:
        raise InputError(
            f"dataset 'image_folder': {error}\n{folder} must hold one folder of images for each class"
        ) from error
    images = torch.stack([_read_image(Path(path), params) for path, _ in found.samples])
    return Split(inputs=images, labels=torch.tensor(found.targets, dtype=torch.int64)), list(found.classes)


def _read_image(path: Path, params: ImageFolderParams) -> Tensor:
    import torch
    from PIL import Image
    from torchvision.transforms.functional import pil_to_tensor

    height, width = params.size
    try:
        with Image.open(path) as file:
            image = file.convert("RGB" if params.channels == 3 else "L")
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for damaged files of its formats
        raise damaged(path, error) from error
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    tensor: torch.Tensor = pil_to_tensor(image)  # (channels, height, width) uint8
    return tensor


IMAGE_FOLDER = Dataset(
    name="image_folder",
    summary="Your own images: a folder for each class, under train and test",
    params=ImageFolderParams,
    load=load_image_folder,
)
