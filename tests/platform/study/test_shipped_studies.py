"""The shipped studies are the paper's settings, at every scale."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from normlaw.study.expansion import expand
from normlaw.study.named import find_study, shipped_studies
from normlaw.study.study import at_scale
from normlaw_registry import Architecture, Dataset, load_catalogue, validate_params

PAPER = {
    # sizes: first, last, how many; seeds; initialisation factor; optimiser and learning rate
    "cnn_mnist": (375, 48000, 11, 31, 0.05, ("adam", 1e-3)),
    "cnn_cifar10": (4000, 48000, 12, 30, 1.0, ("adam", 1e-3)),
    "cnn_cifar100": (4000, 48000, 12, 18, 1.0, ("adam", 1e-3)),
    "resnet_mnist": (89, 48000, 13, 29, 1.0, ("adam", 1e-3)),
    "resnet_cifar10": (6000, 46000, 9, 12, 0.05, ("adam", 1e-3)),
    "resnet_cifar100": (6000, 46000, 9, 5, 1.0, ("adam", 1e-3)),
    "vit_mnist": (188, 48000, 12, 10, 1.0, ("adamw", 3e-4)),
    "vit_cifar10": (6000, 46000, 9, 30, 0.005, ("adamw", 3e-4)),
    "vit_cifar100": (6000, 46000, 9, 5, 0.005, ("adamw", 3e-4)),
}
SCALED = sorted(name for name in shipped_studies() if find_study(name).scales)


@cache
def runs(name, scale=None):
    study = find_study(name)
    return expand(study if scale is None else at_scale(study, scale), load_catalogue())


@pytest.mark.parametrize("name", PAPER)
def test_the_nine_settings_are_the_papers(name):
    first, last, count, seeds, factor, optimizer = PAPER[name]
    specs = runs(name)
    sizes = sorted({spec.train_size for spec in specs})
    assert (sizes[0], sizes[-1], len(sizes)) == (first, last, count)
    assert len(specs) == count * seeds
    network, _, data = name.partition("_")
    for spec in specs:
        assert (spec.architecture.name, spec.dataset.name) == (network, data)
        assert spec.architecture.params["init_factor"] == factor
        assert (spec.optimizer.name, spec.optimizer.learning_rate) == optimizer
        assert spec.optimizer.weight_decay == 0
        assert (spec.batch_size, spec.measuring_points, spec.loss.name) == (128, 50, "cross_entropy")
        assert spec.validation.source == "test"
        assert not spec.augmentation.test_images
    changes = specs[0].augmentation
    if name in ("resnet_mnist", "vit_mnist"):
        assert (changes.rotation, changes.shift, changes.flip) == (10, 0.1, 0)
    elif name.startswith("resnet"):
        assert (changes.crop_padding, changes.flip, changes.rotation) == (4, 0.5, 0)
    else:
        assert not changes.active


def test_settings_and_ablations_have_a_small_scale():
    for name in shipped_studies():
        if name in PAPER or name.startswith("ablation_"):
            assert "small" in find_study(name).scales


@pytest.mark.parametrize("name", SCALED)
def test_small_runs_fit_their_data(name):
    catalogue = load_catalogue()
    whole, small = runs(name), runs(name, "small")
    # a step of a path along the norm is a measuring point: its cost goes with the data, P N
    fewer = 2 if small[0].trainer.final_norm is not None else 20
    assert sum(spec.total_steps for spec in small) * fewer < sum(spec.total_steps for spec in whole)
    if len({spec.train_size for spec in whole}) > 1:  # others vary a width, or see each example once
        assert len({spec.train_size for spec in small}) >= 5
    for spec in {spec.architecture.model_dump_json(): spec for spec in small}.values():
        dataset = catalogue.get(Dataset, spec.dataset.name)
        assert dataset.info is not None
        task = dataset.info(validate_params(dataset, spec.dataset.params)).task
        architecture = catalogue.get(Architecture, spec.architecture.name)
        network = architecture.build(validate_params(architecture, spec.architecture.params), task)
        tokens = task.kind == "next_token"
        shape = (2, *task.input_shape)
        outputs = network(torch.zeros(shape, dtype=torch.int64) if tokens else torch.rand(shape))
        assert outputs.shape == ((*shape, task.vocabulary) if tokens else (2, task.num_outputs))
