from __future__ import annotations

import numpy as np
import pytest
import torch

from normlaw.study.run_options import Augmentation
from normlaw.training.augmentation import augment, crop, rotate_and_shift
from normlaw_plugins.torchvision_import import prepare_torchvision


@pytest.fixture(scope="module")
def images():
    return torch.rand(6, 3, 9, 14, generator=torch.Generator().manual_seed(0))


def test_rotation_and_shift_agree_with_torchvision(images):
    prepare_torchvision()
    from torchvision.transforms.functional import affine

    degrees = [10.0, -7.3, 3.1, 0.0, 171.0, -90.5]
    shifts = [(2, -1), (0, 3), (-4, 0), (1, 1), (0, 0), (-2, 2)]
    ours = rotate_and_shift(images, torch.deg2rad(torch.tensor(degrees)), torch.tensor(shifts).float())
    for image, degree, shift, result in zip(images, degrees, shifts, ours, strict=True):
        expected = affine(image, degree, list(shift), scale=1.0, shear=[0.0])
        assert torch.equal(result, expected)


def test_crop_is_a_window_of_the_padded_image(images):
    offsets = torch.tensor([[0, 0], [4, 4], [2, 2], [1, 3], [3, 0], [4, 1]])
    cropped = crop(images, 2, offsets)
    for image, (row, column), result in zip(images, offsets.tolist(), cropped, strict=True):
        padded = torch.zeros(3, 13, 18)
        padded[:, 2:11, 2:16] = image
        assert torch.equal(result, padded[:, row : row + 9, column : column + 14])


def test_flip_mirrors_about_its_share_of_the_images(images):
    many = images[:1].expand(2000, -1, -1, -1)
    result = augment(many, Augmentation(flip=0.25), np.random.default_rng(0))
    mirrored = (result == many.flip(-1)).flatten(1).all(dim=1)
    kept = (result == many).flatten(1).all(dim=1)
    assert (mirrored ^ kept).all()
    assert mirrored.double().mean().item() == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 2000) ** 0.5)


def test_shifts_are_whole_pixels_within_their_fraction():
    image = torch.zeros(1, 1, 21, 31)
    image[0, 0, 10, 15] = 1.0
    result = augment(image.expand(3000, -1, -1, -1), Augmentation(shift=0.1), np.random.default_rng(0))
    assert result.flatten(1).sum(dim=1).eq(1).all()
    _, _, rows, columns = result.nonzero(as_tuple=True)
    assert sorted(set((rows - 10).tolist())) == [-2, -1, 0, 1, 2]
    assert sorted(set((columns - 15).tolist())) == [-3, -2, -1, 0, 1, 2, 3]


def test_crops_reach_every_window_equally_often():
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2] = 1.0
    result = augment(image.expand(9000, -1, -1, -1), Augmentation(crop_padding=1), np.random.default_rng(0))
    counts = result.sum(dim=(0, 1))[1:4, 1:4]
    assert counts.sum() == 9000
    assert ((counts - 1000).abs() < 5 * 1000**0.5).all()


def test_everything_at_once_repeats_bit_for_bit(images):
    changes = Augmentation(rotation=10, shift=0.1, crop_padding=4, flip=0.5)
    once, again = (augment(images, changes, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(once, again)
    assert once.shape == images.shape
    assert not torch.equal(once, augment(images, changes, np.random.default_rng(4)))
