from __future__ import annotations

from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits

from normlaw_plugins.datasets.digits import DIGITS
from normlaw_registry import LoadContext


@pytest.fixture(scope="module")
def splits():
    return DIGITS.load(DIGITS.params(), LoadContext(seed=7, train_size=10, data_dir=Path()))


def rows(inputs, labels):
    return sorted(zip(map(tuple, inputs), labels, strict=True))


def test_every_image_of_the_source_appears_once(splits):
    source = load_digits()
    images = torch.cat([splits.train.inputs, splits.test.inputs])
    labels = torch.cat([splits.train.labels, splits.test.labels])
    assert images.dtype == torch.uint8
    assert images.shape == (1797, 1, 8, 8)
    assert rows((images.flatten(1).double() / 15).tolist(), labels.tolist()) == rows(
        source.data.tolist(), source.target.tolist()
    )


def test_stated_mean_and_deviation_are_the_training_images(splits):
    pixels = splits.train.inputs.double() / 255
    assert splits.mean == (round(float(pixels.mean()), 4),)
    assert splits.std == (round(float(pixels.std()), 4),)


def test_split_does_not_depend_on_the_run(splits):
    other = DIGITS.load(DIGITS.params(), LoadContext(seed=8, train_size=1000, data_dir=Path()))
    assert torch.equal(splits.train.inputs, other.train.inputs)
    assert (len(splits.train), len(splits.test)) == (1437, 360)
    # pinned: a curve of last year must be a curve of the same images
    assert splits.test.labels[:6].tolist() == [7, 9, 4, 7, 0, 2]


def test_without_the_file_in_its_place_scikit_learn_is_asked(monkeypatch, splits):
    monkeypatch.setattr("normlaw_plugins.datasets.digits.find_spec", lambda name: None)
    asked = DIGITS.load(DIGITS.params(), LoadContext(seed=7, train_size=10, data_dir=Path()))
    assert torch.equal(asked.train.inputs, splits.train.inputs)
    assert torch.equal(asked.test.labels, splits.test.labels)
