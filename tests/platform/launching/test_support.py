"""A component that does not support the device chosen is told before anything is trained."""

from dataclasses import replace

import pytest

from normlaw.launching.display import Display
from normlaw.launching.launch import launch
from normlaw.launching.support import check_support
from normlaw.study.expansion import expand
from normlaw.study.study import parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import (
    Architecture,
    Catalogue,
    ComplexityMeasure,
    Component,
    Dataset,
    InputError,
    InvalidComponentError,
    Loss,
    Optimizer,
    Schedule,
    Task,
    load_catalogue,
)
from normlaw_registry.host import PluginRecord
from normlaw_registry.testing import check_component

KINDS: dict[type[Component], str] = {
    Architecture: "cnn",
    Dataset: "digits",
    ComplexityMeasure: "weight_norm",
}


OF_TRAINING: tuple[type[Component], ...] = (Loss, Optimizer, Schedule)


def catalogue_where(kind, **declared) -> Catalogue:
    """Return a catalogue of the tiny study's components, one of which declares what it supports."""
    chosen: list[tuple[type[Component], str]] = [
        *KINDS.items(),
        (ComplexityMeasure, "spectral_complexity_kernel"),
        *((of_kind, name) for of_kind in OF_TRAINING for name in load_catalogue().names(of_kind)),
    ]
    found = [(of_kind, load_catalogue().get(of_kind, name)) for of_kind, name in chosen]
    components = tuple(
        replace(component, **declared) if of_kind is kind else component for of_kind, component in found
    )
    record = PluginRecord(
        name="it", module="lab", distribution="lab-norms", version="0.3", components=components
    )
    return Catalogue.of([record])


@pytest.fixture
def specs(tiny, write_study):
    source = YamlSource.read(write_study(tiny))
    return expand(parse_study(source), load_catalogue())


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_that_is_not_declared_is_refused(specs, kind) -> None:
    catalogue = catalogue_where(kind, devices=("cpu",))
    check_support(specs, catalogue, "cpu")
    told = rf"{kind.kind} '\w+' of lab-norms 0.3 works on cpu only.*cuda:1: give --device cpu"
    with pytest.raises(InputError, match=told):
        check_support(specs, catalogue, "cuda:1")


@pytest.mark.parametrize("kind", KINDS)
def test_a_precision_that_is_not_declared_is_refused(tiny, write_study, kind) -> None:
    tiny["fixed"]["compute"] = {"precision": "bfloat16"}
    source = YamlSource.read(write_study(tiny))
    specs = expand(parse_study(source), load_catalogue())
    check_support(specs, catalogue_where(kind, dtypes=("bfloat16",)), "cpu")
    told = rf"{kind.kind} '\w+' of lab-norms 0.3 works in float32 only.*`compute.precision: float32`"
    with pytest.raises(InputError, match=told):
        check_support(specs, catalogue_where(kind, dtypes=("float32",)), "cpu")


def test_a_launch_refuses_before_anything_is_written(specs, tiny, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = parse_study(YamlSource.read(tmp_path / "tiny.yaml"))
    with pytest.raises(InputError, match="works on cuda only, and the device chosen is cpu"):
        launch(
            study,
            catalogue_where(Architecture, devices=("cuda",)),
            Display(),
            device="cpu",
            home=tmp_path / "home",
        )
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def test_what_declares_nothing_works_everywhere(specs) -> None:
    for device in ("cpu", "cuda", "mps"):
        check_support(specs, load_catalogue(), device)


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"devices": "cuda"}, "must be None or a non-empty tuple"),
        ({"devices": ()}, "must be None or a non-empty tuple"),
        ({"devices": ("cuda:1",)}, "types of device such as 'cuda'"),
        ({"dtypes": ("float16",)}, "'float16' is none of float32, bfloat16"),
    ],
)
def test_a_declaration_that_says_nothing_is_refused(declared, told) -> None:
    with pytest.raises(InvalidComponentError, match=told):
        catalogue_where(Architecture, **declared)


def build_float32_only(params, task):
    import torch
    from torch import nn

    class Summing(nn.Linear):
        def forward(self, x):
            sums = torch.zeros(len(x), self.out_features)  # float32, whatever the precision of training
            return sums.index_add_(0, torch.arange(len(x)), super().forward(x))

    return Summing(task.input_shape[0], task.num_outputs)


def test_the_battery_tries_the_precisions_that_are_declared() -> None:
    tasks = [Task(input_shape=(6,), num_classes=3)]
    claims_all = Architecture(name="summing", summary="Wants float32", build=build_float32_only)
    with pytest.raises(InvalidComponentError, match=r'in bfloat16 .*declare .*dtypes=\("float32",\)'):
        check_component(claims_all, tasks=tasks)
    check_component(replace(claims_all, dtypes=("float32",)), tasks=tasks)
