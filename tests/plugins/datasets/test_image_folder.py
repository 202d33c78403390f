from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from normlaw_plugins.datasets.image_folder import IMAGE_FOLDER
from normlaw_registry import InputError, validate_params
from normlaw_registry.testing import check_component


@pytest.fixture
def photos(tmp_path):
    """Two classes of 4x6 colour images under train and test."""
    stream = np.random.default_rng(0)
    for part, count in (("train", 3), ("test", 2)):
        for kind in ("cat", "dog"):
            folder = tmp_path / "photos" / part / kind
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = stream.integers(0, 256, (4, 6, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path / "photos"


def test_images_and_classes(photos, load, tmp_path):
    splits = load(IMAGE_FOLDER, tmp_path, path="photos", size=[4, 6])
    assert splits.task.input_shape == (3, 4, 6)
    assert splits.task.num_outputs == 1
    assert splits.train.inputs.dtype == torch.uint8
    assert splits.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert splits.test.inputs.shape == (4, 3, 4, 6)
    expected = np.asarray(Image.open(photos / "train" / "dog" / "0.png"))
    assert np.array_equal(splits.train.inputs[3].permute(1, 2, 0).numpy(), expected)
    assert splits.mean == (0.5, 0.5, 0.5)
    assert splits.validation is None


def test_other_sizes_are_resampled_and_grey_is_converted(photos, load, tmp_path):
    grey = Image.new("L", (20, 20), 77)
    grey.save(photos / "train" / "cat" / "0.png")
    splits = load(IMAGE_FOLDER, tmp_path, path=str(photos), size=[3, 5], channels=1)
    assert splits.train.inputs.shape == (6, 1, 3, 5)
    assert splits.train.inputs[0].eq(77).all()


def test_a_validation_folder_is_used(photos, load, tmp_path):
    (photos / "test").rename(photos / "validation")
    with pytest.raises(InputError, match="must hold one folder"):
        load(IMAGE_FOLDER, tmp_path, path="photos", size=[4, 6])
    (photos / "test").symlink_to(photos / "train")
    assert len(load(IMAGE_FOLDER, tmp_path, path="photos", size=[4, 6]).validation) == 4


def test_a_damaged_image_is_named(photos, load, tmp_path):
    path = photos / "test" / "dog" / "1.png"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InputError, match="damaged") as error:
        load(IMAGE_FOLDER, tmp_path, path="photos", size=[4, 6])
    assert str(path) in str(error.value)


def test_classes_must_agree(photos, load, tmp_path):
    (photos / "test" / "dog").rename(photos / "test" / "wolf")
    with pytest.raises(InputError, match="differ in classes: dog, wolf"):
        load(IMAGE_FOLDER, tmp_path, path="photos", size=[4, 6])


def test_a_class_without_images_is_named(photos, load, tmp_path):
    (photos / "train" / "cow").mkdir()
    with pytest.raises(InputError, match="cow"):
        load(IMAGE_FOLDER, tmp_path, path="photos", size=[4, 6])


@pytest.mark.parametrize("values", [{"size": [0, 4]}, {"mean": [0.5, 0.5]}, {"channels": 2}, {"path": ""}])
def test_bad_parameters_are_refused(values, load, tmp_path):
    with pytest.raises(InputError):
        load(IMAGE_FOLDER, tmp_path, **{"path": "photos", "size": [4, 6], **values})


def test_keeps_the_contract(photos):
    params = validate_params(IMAGE_FOLDER, {"path": str(photos), "size": [4, 6]})
    check_component(IMAGE_FOLDER, params=params, train_size=4)
