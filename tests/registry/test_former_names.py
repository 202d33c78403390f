"""What the first contract called by another name is still understood, with a warning to its author."""

import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import normlaw_registry as registry
from normlaw_registry import Dataset, LinearMap, LoadContext
from normlaw_registry.former_names import FORMER


def never(params: object, context: object) -> registry.Splits:
    raise AssertionError("loaded")


@pytest.mark.parametrize(("former", "present"), FORMER.items())
def test_a_former_export_is_the_present_one(former, present) -> None:
    with pytest.warns(DeprecationWarning, match=f"{former} is a former name .* write {present}") as told:
        assert getattr(registry, former) is getattr(registry, present)
    assert len(told) == 1
    assert told[0].filename == __file__


def test_no_other_name_is_made_up() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Outlines'"):
        _ = registry.Outlines  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "former", "present", "value", "others"),
    [
        (LinearMap, "kind", "operation", "dense", {"name": "a", "weight": torch.ones(2, 2)}),
        (LoadContext, "folder", "data_dir", Path("here"), {"seed": 0, "train_size": 8}),
        (Dataset, "outline", "info", print, {"name": "some", "summary": "Some data", "load": never}),
    ],
)
def test_a_former_field_is_taken_and_given(kind, former, present, value, others) -> None:
    with pytest.warns(DeprecationWarning, match=f"{former}=.* write {present}=") as told:
        made = kind(**others, **{former: value})
    assert len(told) == 1
    assert told[0].filename == __file__
    assert getattr(made, present) is value
    with pytest.warns(DeprecationWarning, match=f"{kind.__name__}.{former} is a former name"):
        assert getattr(made, former) is value
    with pytest.warns(DeprecationWarning, match="former name"):
        assert getattr(replace(made, **{former: value}), present) is value


def test_the_present_names_warn_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = LinearMap(name="a", operation="dense", weight=torch.ones(2, 2))
        assert replace(made, name="b").operation == "dense"


def test_a_component_that_lacks_a_function_is_told_the_present_name() -> None:
    with pytest.raises(registry.InvalidComponentError, match="`info` must be a function"):
        Dataset(name="some", summary="Some data", load=never, info=3)  # type: ignore[arg-type]
