from __future__ import annotations

import numpy as np
import pytest
import torch

from normlaw.training.label_noise import noisy_labels


def test_the_stated_fraction_is_changed_evenly_among_the_other_classes():
    labels = torch.full((60_000,), 3)
    noisy = noisy_labels(labels, 5, 0.4, np.random.default_rng(0))
    counts = noisy.bincount(minlength=5).double() / len(labels)
    expected = [0.1, 0.1, 0.1, 0.6, 0.1]
    assert counts.tolist() == pytest.approx(expected, abs=5 * (0.24 / 60_000) ** 0.5)


def test_smaller_training_sets_keep_their_noise():
    labels = torch.arange(300) % 2
    small = noisy_labels(labels[:50], 2, 0.3, np.random.default_rng(1))
    assert torch.equal(small, noisy_labels(labels, 2, 0.3, np.random.default_rng(1))[:50])


def test_more_noise_changes_more_of_the_same_labels():
    labels = torch.arange(500) % 10
    few = noisy_labels(labels, 10, 0.1, np.random.default_rng(1)) != labels
    many = noisy_labels(labels, 10, 0.5, np.random.default_rng(1)) != labels
    assert 0 < few.sum() < many.sum()
    assert not (few & ~many).any()


def test_no_noise_changes_nothing():
    labels = torch.arange(100) % 10
    assert torch.equal(noisy_labels(labels, 10, 0.0, np.random.default_rng(1)), labels)
