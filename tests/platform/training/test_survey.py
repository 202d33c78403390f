"""Nine in ten of the networks that people train are measured, and the page that lists them says how."""

from __future__ import annotations

from pathlib import Path

import pytest

from normlaw_tests.survey import (
    BEGIN,
    CONVENTION,
    EXACT,
    HEAD,
    row,
    torchvision_models,
    torchvision_names,
    transformers_models,
)

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "networks.md"


SMALLEST = (
    *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet"),
    *("inception_v3", "maxvit_t", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "regnet_x_400mf"),
    *("regnet_y_400mf", "resnet18", "resnet50", "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_1"),
    *("swin_t", "swin_v2_t", "vgg11", "vgg11_bn", "vit_b_32", "wide_resnet50_2"),
)
"""One of each kind that torchvision has: the others are of the same layers, wider and deeper."""


@pytest.mark.slow
def test_networks_of_each_kind_are_measured_or_refused_by_name() -> None:
    pytest.importorskip("transformers")
    *head, end = PAGE.read_text().partition(BEGIN)[2].split("\n")[1:]
    assert (tuple(head[:2]), end) == (HEAD, "")
    shown = {line.split(" | ")[0].removeprefix("| "): line for line in head[2:]}
    assert [f"torchvision {name}" for name in torchvision_names()] == [*shown][:-5]
    assert len(shown) > 80
    refused = [line for line in shown.values() if line.split(" | ")[2] not in (EXACT, CONVENTION)]
    assert all("layer '" in line for line in refused)
    assert len(refused) <= len(shown) / 10
    for one in (*torchvision_models(SMALLEST), *transformers_models()):
        assert row(one) == shown[one.name], (
            "tests/support/normlaw_tests/survey.py --write docs/reference/networks.md"
        )
