from typing import Any

import pytest
from pydantic import Field, model_validator

from normlaw_registry import (
    Architecture,
    ComplexityMeasure,
    Dataset,
    Fitter,
    InputError,
    InvalidComponentError,
    LinearMap,
    Params,
    Split,
    Task,
    Theory,
    validate_params,
)


class Width(Params):
    width: int = Field(default=8, ge=1)
    rates: tuple[float, ...] = (0.1,)


def architecture(**changes) -> Architecture:
    fields = {"name": "linear", "summary": "One layer", "build": lambda params, task: None, "params": Width}
    return Architecture(**{**fields, **changes})


@pytest.mark.parametrize(
    "name", ["Linear", "two words", "two-words", "", "1st", "_a", "a_", "a__b", "é", None, 3]
)
def test_a_name_that_no_study_could_write_is_refused(name) -> None:
    with pytest.raises(InvalidComponentError, match="lower-case words joined by underscores"):
        architecture(name=name)


@pytest.mark.parametrize("name", ["cnn", "cifar10", "spectral_complexity_kernel", "vgg16_bn"])
def test_a_plain_name_is_accepted(name) -> None:
    assert architecture(name=name).name == name


@pytest.mark.parametrize("summary", ["", "  ", "two\nlines", None])
def test_a_summary_is_one_line(summary) -> None:
    with pytest.raises(InvalidComponentError, match="one non-empty line"):
        architecture(summary=summary)


@pytest.mark.parametrize("params", [dict, Width(), None])
def test_params_is_a_params_model(params) -> None:
    with pytest.raises(InvalidComponentError, match=r"subclass of normlaw_registry\.Params"):
        architecture(params=params)


@pytest.mark.parametrize(
    ("kind", "fields", "field"),
    [
        (Architecture, {"build": None}, "build"),
        (Architecture, {"build": print, "layer_rules": {}}, "layer_rules"),
        (Dataset, {"load": "path"}, "load"),
        (ComplexityMeasure, {"measure": 3}, "measure"),
        (Fitter, {"fit": [], "law": "early_law"}, "fit"),
        (Theory, {"predict": object()}, "predict"),
    ],
)
def test_what_must_be_a_function_is_one(kind, fields, field) -> None:
    with pytest.raises(InvalidComponentError, match=f"`{field}` must be a function"):
        kind(name="some_name", summary="Some", **fields)


def test_components_compare_by_identity_and_can_be_keys() -> None:
    one, other = architecture(presets={"small": {"width": 2}}), architecture(presets={"small": {"width": 2}})
    assert one != other
    assert len({one, other}) == 2


def test_components_are_frozen() -> None:
    with pytest.raises(AttributeError):
        architecture().name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("values", [{"width": 0}, {"widht": 3}, {"width": "wide"}, 3])
def test_a_preset_that_could_not_be_built_is_refused(values) -> None:
    with pytest.raises(InvalidComponentError, match="'linear', preset 'small'"):
        architecture(presets={"small": values})


def test_a_fitter_names_one_of_the_three_laws() -> None:
    with pytest.raises(InvalidComponentError, match="unknown law 'early', did you mean early_law"):
        Fitter(
            name="line",
            summary="A line",
            law="early",  # type: ignore[arg-type]
            fit=lambda points, params: pytest.fail("never fitted"),
        )


@pytest.mark.parametrize(
    ("shape", "classes", "reason"),
    [
        ((), 2, "an input shape of positive numbers"),
        ((0,), 2, "an input shape of positive numbers"),
        ((1, -8, 8), 10, "an input shape of positive numbers"),
        ((8,), 1, "at least 2 classes"),
    ],
    ids=["empty", "zero", "negative", "one"],
)
def test_a_task_that_no_network_could_serve_is_refused(shape, classes, reason) -> None:
    with pytest.raises(InvalidComponentError, match=reason):
        Task(input_shape=shape, num_classes=classes)


def test_two_classes_have_one_output_and_more_have_one_each() -> None:
    assert [Task(input_shape=(3,), num_classes=n).num_outputs for n in (2, 3, 10)] == [1, 3, 10]


def test_a_split_has_one_label_for_each_input() -> None:
    import torch

    assert len(Split(inputs=torch.zeros(3, 2), labels=torch.zeros(3, dtype=torch.int64))) == 3
    with pytest.raises(InvalidComponentError, match="got 3 inputs, 2 labels"):
        Split(inputs=torch.zeros(3, 2), labels=torch.zeros(2, dtype=torch.int64))


CONV: dict[str, Any] = {
    "input_size": (5, 5),
    "stride": (1, 1),
    "padding": ((1, 1), (1, 1)),
    "dilation": (1, 1),
}


def test_a_linear_map_is_a_matrix_of_outputs_by_inputs() -> None:
    import torch

    kernel = torch.arange(24.0).reshape(2, 3, 2, 2)
    conv = LinearMap(name="conv", operation="conv2d", weight=kernel, **CONV)
    assert torch.equal(conv.matrix(), kernel.reshape(2, 12))
    dense = LinearMap(name="fc", operation="dense", weight=kernel[0, 0])
    assert torch.equal(dense.matrix(), kernel[0, 0])


@pytest.mark.parametrize(
    ("kind", "axes", "changes", "message"),
    [
        ("dense", 4, {}, "dense weight has 2 axes, got 4"),
        ("conv2d", 2, CONV, "conv2d weight has 4 axes, got 2"),
        ("conv3d", 5, {}, "none of dense, conv1d, conv2d"),
        ("conv2d", 4, {**CONV, "stride": ()}, "`stride` of a conv2d map holds 2 entries"),
        ("conv2d", 4, {**CONV, "padding": ((1, 1),)}, "`padding` of a conv2d map holds 2 entries"),
        ("conv1d", 3, CONV, "`input_size` of a conv1d map holds 1 entries"),
        ("dense", 2, {"dilation": (1,)}, "`dilation` of a dense map holds 0 entries"),
    ],
)
def test_a_geometry_that_does_not_fit_the_kind_is_refused(kind, axes, changes, message) -> None:
    import torch

    with pytest.raises(InvalidComponentError, match=f"'layer'.*{message}"):
        LinearMap(name="layer", operation=kind, weight=torch.zeros((1,) * axes), **changes)


def test_params_are_completed_by_their_defaults() -> None:
    assert validate_params(architecture(), {"width": 4}).model_dump() == {"width": 4, "rates": (0.1,)}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widht": 4}, "architecture 'linear': widht: unknown key, did you mean width?"),
        ({"width": -1}, "architecture 'linear': width: input should be greater than or equal to 1, got -1"),
        ({"rates": [0.1, "x"]}, "architecture 'linear': rates.1: input should be a valid number"),
        ({"rates": [float("nan")]}, "finite number"),
        ({"widht": 4, "width": 0}, "\n"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_by_place_and_reason(values, message) -> None:
    with pytest.raises(InputError) as caught:
        validate_params(architecture(), values)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_rule_across_parameters_is_told_in_its_own_words() -> None:
    class Pair(Params):
        low: float = 0.0
        high: float = 1.0

        @model_validator(mode="after")
        def ordered(self):
            if self.low > self.high:
                raise ValueError("low must not exceed high")
            return self

    with pytest.raises(InputError, match=r"'linear': params: low must not exceed high$"):
        validate_params(architecture(params=Pair), {"low": 2})
