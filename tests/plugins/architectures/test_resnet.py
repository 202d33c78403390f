from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from normlaw_plugins.architectures.resnet import RESNET
from normlaw_registry import InputError, Task, validate_params

CIFAR10 = Task(input_shape=(3, 32, 32), num_classes=10)


def build(task, **values):
    return RESNET.build(validate_params(RESNET, values), task)


def size(network):
    return sum(p.numel() for p in network.parameters())


def closed_form(inputs, blocks, channels, classes):
    total = 9 * inputs * channels[0] + 2 * channels[0]
    before = channels[0]
    for count, width in zip(blocks, channels, strict=True):
        total += 9 * before * width + 9 * width * width + 4 * width
        total += (count - 1) * (18 * width * width + 4 * width)
        if width != before:
            total += before * width + 2 * width
        before = width
    return total + before * classes + classes


@pytest.mark.parametrize(
    ("preset", "shape", "classes", "published"),
    [
        ("mnist", (1, 28, 28), 10, None),
        ("cifar10", (3, 32, 32), 10, 11_173_962),  # ResNet-18 with a 3x3 stem, as widely reported
        ("cifar100", (3, 32, 32), 100, 21_328_292),  # ResNet-34 likewise
    ],
)
def test_presets_have_the_closed_forms_parameter_counts(preset, shape, classes, published):
    values = RESNET.presets[preset]
    with torch.device("meta"):
        network = build(Task(input_shape=shape, num_classes=classes), **values)
    expected = closed_form(shape[0], values["blocks"], values["channels"], classes)
    assert size(network) == expected
    assert published in (None, expected)


def test_forward_pass_is_the_one_written_out_by_hand():
    torch.manual_seed(0)
    network = build(CIFAR10, blocks=[1, 1], channels=[4, 6]).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    p = dict(network.named_parameters())

    def conv(x, name, stride=1):
        weight = p[f"{name}.weight"]
        return functional.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    def norm(x, name):  # fresh running statistics: mean 0, variance 1
        return x / (1 + 1e-5) ** 0.5 * p[f"{name}.weight"][:, None, None] + p[f"{name}.bias"][:, None, None]

    inputs = torch.rand(2, 3, 32, 32)
    x = norm(conv(inputs, "conv1"), "bn1").relu()
    for name, stride in (("stage1_block1", 1), ("stage2_block1", 2)):
        y = norm(conv(x, f"{name}.conv1", stride), f"{name}.bn1").relu()
        y = norm(conv(y, f"{name}.conv2"), f"{name}.bn2")
        if stride == 2:
            x = norm(conv(x, f"{name}.downsample.0", 2), f"{name}.downsample.1")
        x = (x + y).relu()
    assert x.shape == (2, 6, 16, 16)
    outputs = functional.linear(x.mean(dim=(2, 3)), p["fc.weight"], p["fc.bias"])
    torch.testing.assert_close(network(inputs), outputs, rtol=1e-4, atol=1e-3)


def test_initial_weights_have_the_stated_deviations():
    torch.manual_seed(0)
    network = build(CIFAR10, blocks=[1], channels=[64], init_factor=0.5)
    stem, head = network.conv1.weight, network.fc.weight
    assert stem.std().item() == pytest.approx(0.5 * (2 / (9 * 64)) ** 0.5, rel=0.05)
    assert head.std().item() == pytest.approx(0.5 * 0.01, rel=0.1)
    assert not network.fc.bias.any()
    assert network.bn1.weight.eq(1).all()


def test_as_many_blocks_as_channels():
    with pytest.raises(InputError, match="3 stages and `channels` 4"):
        validate_params(RESNET, {"blocks": [2, 2, 2]})


def test_eight_by_eight_images_and_two_classes():
    network = build(Task(input_shape=(1, 8, 8), num_classes=2), channels=[4, 8, 16, 32])
    assert network(torch.rand(3, 1, 8, 8)).shape == (3, 1)
