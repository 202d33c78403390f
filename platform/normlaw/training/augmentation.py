"""Random changes of images, made on whole batches as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, pad

from normlaw.study.run_options import Augmentation


def augment(images: Tensor, changes: Augmentation, stream: np.random.Generator) -> Tensor:
    """Return each image changed by draws of its own; what comes into view is black.

    Args:
        images: (b, channels, height, width), floating point, before the mean is subtracted: zero is black.
        changes: what is changed and how much.
        stream: where the draws come from; the number of draws depends on `b` only.

    """
    count, _, height, width = images.shape

    def draws(values: np.ndarray[Any, Any]) -> Tensor:
        return torch.from_numpy(values).to(images.device)

    if changes.rotation or changes.shift:
        angles = np.deg2rad(stream.uniform(-changes.rotation, changes.rotation, count))  # (b,)
        limits = changes.shift * np.array([width, height])
        shifts = np.rint(stream.uniform(-limits, limits, (count, 2)))  # (b, 2): to the right, down
        images = rotate_and_shift(images, draws(angles), draws(shifts))
    if changes.crop_padding:
        offsets = stream.integers(0, 2 * changes.crop_padding + 1, (count, 2))  # (b, 2): rows, columns
        images = crop(images, changes.crop_padding, draws(offsets))
    if changes.flip:
        mirrored = draws(stream.random(count) < changes.flip)  # (b,)
        images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
    return images


def rotate_and_shift(images: Tensor, angles: Tensor, shifts: Tensor) -> Tensor:
    """Return images turned clockwise about their centre, then shifted; the nearest pixel is taken.

    Args:
        images: (b, channels, height, width).
        angles: (b,) in radians.
        shifts: (b, 2) in pixels, to the right and down.

    """
    height, width = images.shape[-2:]
    cos, sin = angles.cos(), angles.sin()
    right, down = shifts.unbind(dim=1)
    # from a pixel of the result to one of the image, both in coordinates that run from -1 to 1
    theta = torch.stack(
        [
            torch.stack([cos, sin * height / width, -2 * (cos * right + sin * down) / width], dim=1),
            torch.stack([-sin * width / height, cos, -2 * (cos * down - sin * right) / height], dim=1),
        ],
        dim=1,
    )  # (b, 2, 3)
    grid = affine_grid(theta.to(images.dtype), list(images.shape), align_corners=False)  # (b, height, width, 2)
    return grid_sample(images, grid, mode="nearest", padding_mode="zeros", align_corners=False)


def crop(images: Tensor, padding: int, offsets: Tensor) -> Tensor:
    """Return windows of the images' own size, cut out of the images with zeros around them.

    Args:
        images: (b, channels, height, width).
        padding: pixels of zeros on each side.
        offsets: (b, 2) int64 in [0, 2 * padding]: the window's first row and column in the padded image.

    """
    count, _, height, width = images.shape
    padded = pad(images, [padding] * 4)  # (b, channels, height + 2 padding, width + 2 padding)
    rows = offsets[:, 0, None] + torch.arange(height, device=images.device)  # (b, height)
    columns = offsets[:, 1, None] + torch.arange(width, device=images.device)  # (b, width)
    image = torch.arange(count, device=images.device)[:, None, None]
    # indices on both sides of the sliced channels put the channels last
    return padded[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()
