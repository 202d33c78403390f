"""The shapes that docstrings and comments state, checked at each call while tests run.

jaxtyping in the signatures themselves would make it a dependency of every program that trains. Here the same is
said beside the tests: what an argument or a result must be, by the function's full name. Sizes of one name are
one number within a call. Inside of torch.compile nothing is checked.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

import numpy as np
import torch
from beartype.door import is_bearable
from jaxtyping import Bool, Float, Float32, Float64, Int64, Shaped, jaxtyped
from torch import Tensor

from normlaw_registry import Dataset, Splits, load_catalogue

RESULT = "return"
Stated = Mapping[str, Any]

LOGITS = Float[Tensor, "b outputs"] | Float[Tensor, "b T vocabulary"]
LABELS = Int64[Tensor, "b"]
TOKENS = Int64[Tensor, "b places"]
ANSWERS = LABELS | TOKENS | Float[Tensor, "b outputs"]
VECTOR = Float64[np.ndarray, "N"]

STATED: dict[str, Stated] = {
    "normlaw.training.loss.signed": {"labels": LABELS, RESULT: Float[Tensor, "b"] | Int64[Tensor, "b"]},
    "normlaw.training.loss.MeanLoss.__call__": {"logits": LOGITS, "labels": ANSWERS, RESULT: Float[Tensor, ""]},
    "normlaw.training.loss.wrong": {
        "logits": LOGITS,
        "labels": LABELS | TOKENS,
        RESULT: Bool[Tensor, "b"] | Bool[Tensor, "b places"],
    },
    "normlaw.training.label_noise.noisy_labels": {"labels": LABELS, RESULT: LABELS},
    "normlaw.training.evaluation.outputs": {RESULT: LOGITS},
    "normlaw.training.measuring.Measurer.measure": {"train_labels": ANSWERS},
    "normlaw_registry.linear.rules.batch_norm_scale": {RESULT: Float64[Tensor, "features"]},
    "normlaw.training.norms.kernel.largest_singular_value": {"matrix": Float[Tensor, "out in"], RESULT: float},
    "normlaw.training.norms.kernel._gram": {
        "matrix": Float[Tensor, "out in"],
        RESULT: Float64[np.ndarray, "small small"],
    },
    "normlaw.training.norms.block_lanczos._orthonormal": {
        "block": Float[Tensor, "b n"],
        "basis": Float[Tensor, "k n"],
        RESULT: Float[Tensor, "kept n"],
    },
    "normlaw.training.linear.margins.SignedInputs.__init__": {"rows": Float[np.ndarray, "P N"]},
    "normlaw.training.linear.margins.SignedInputs.at": {"v": VECTOR},
    "normlaw.training.linear.margins.SignedInputs.curvature": {RESULT: Float64[np.ndarray, "N N"]},
    "normlaw.training.linear.margins.SignedInputs.curvature_and_slowing": {
        RESULT: tuple[Float64[np.ndarray, "N N"], Float64[np.ndarray, "N"]]
    },
    "normlaw_registry.linear_map.LinearMap.matrix": {RESULT: Float[Tensor, "out in"]},
    "normlaw_plugins.architectures.attention.SelfAttention.forward": {
        "query": Float[Tensor, "b tokens embed"],
        "key": Float[Tensor, "b tokens embed"],
        "value": Float[Tensor, "b tokens embed"],
        RESULT: tuple[Float[Tensor, "b tokens embed"], Any],
    },
    "normlaw_plugins.architectures.class_token.ClassTokenAttention.forward": {
        "sequence": Float[Tensor, "b tokens embed"],
        RESULT: Float[Tensor, "b 1 embed"],
    },
    "normlaw_plugins.architectures.class_token.ClassTokenBlock.forward": {
        "sequence": Float[Tensor, "b tokens width"],
        RESULT: Float[Tensor, "b 1 width"],
    },
}

SPLIT = {"inputs": Shaped[Tensor, "n *input_shape"]}
OF_A_TASK = {
    "classification": Int64[Tensor, "n"],
    "regression": Float32[Tensor, "n targets"],
    "next_token": Shaped[Tensor, "n places"],
}
"""The labels of a split, by the kind of task."""


class ShapeError(AssertionError):
    """An array is not what is stated of it."""


def require(value: object, stated: Any, what: str) -> None:
    """Raise ShapeError unless a value is what is stated; within jaxtyped's context sizes keep their names."""
    if not is_bearable(value, stated):
        found = f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor | np.ndarray) else type(value)
        raise ShapeError(f"{what} is {found}, stated: {getattr(stated, '__name__', stated)}")


def checked(function: Callable[..., Any], stated: Stated, name: str) -> Callable[..., Any]:
    """Return a function that checks what it takes and returns, once for all values of the same shapes."""
    signature = inspect.signature(function)
    if unknown := stated.keys() - signature.parameters.keys() - {RESULT}:
        raise ShapeError(
            f"{name} takes no {', '.join(unknown)}: its shapes are stated for another version of it"
        )
    places = {argument: place for place, argument in enumerate(signature.parameters) if argument in stated}
    passed: set[tuple[Any, ...]] = set()

    def check(values: Mapping[str, Any]) -> None:
        kinds = tuple([(argument, kind(value)) for argument, value in values.items()])
        if kinds not in passed:
            with jaxtyped("context"):
                for argument, value in values.items():
                    what = "its result" if argument == RESULT else argument
                    require(value, stated[argument], f"{name}: {what}")
            passed.add(kinds)

    @functools.wraps(function)
    def checking(*args: Any, **kwargs: Any) -> Any:
        if torch.compiler.is_compiling():
            return function(*args, **kwargs)
        values = {argument: args[place] for argument, place in places.items() if place < len(args)}
        values |= {argument: value for argument, value in kwargs.items() if argument in places}
        check(values)
        result = function(*args, **kwargs)
        if RESULT in stated:
            check({**values, RESULT: result})
        return result

    return checking


def kind(value: object) -> Any:
    """Return all that a statement may ask of a value: its type, and an array's numbers and shape."""
    if isinstance(value, Tensor | np.ndarray):
        return type(value), value.dtype, tuple(value.shape)
    return tuple([kind(part) for part in value]) if isinstance(value, tuple) else type(value)


def checked_load(load: Callable[..., Splits], name: str) -> Callable[..., Splits]:
    """Return a data set's loader that checks its splits against its task."""

    @functools.wraps(load)
    def checking(*args: Any) -> Splits:
        splits = load(*args)
        for part in ("train", "test", "validation"):
            if (split := getattr(splits, part)) is not None:
                with jaxtyped("context"):
                    for field, stated in {**SPLIT, "labels": OF_A_TASK[splits.task.kind]}.items():
                        require(getattr(split, field), stated, f"data set {name}: {part}.{field}")
                if tuple(split.inputs.shape[1:]) != tuple(splits.task.input_shape):
                    raise ShapeError(f"data set {name}: {part}.inputs is {tuple(split.inputs.shape)}")
        return splits

    return checking


@functools.cache
def check_all() -> None:
    """Put the checks in the place of the functions, wherever they were imported to, and into data sets."""
    for name, stated in STATED.items():
        owner, attribute = _owner(name)
        function = vars(owner)[attribute]
        replacement = checked(function, stated, name)
        setattr(owner, attribute, replacement)
        for module in _importers():
            if vars(module).get(attribute) is function:
                setattr(module, attribute, replacement)
    for record in load_catalogue().records:
        for component in record.components if record.module.startswith("normlaw_plugins") else ():
            if isinstance(component, Dataset):
                object.__setattr__(component, "load", checked_load(component.load, component.name))


def _owner(name: str) -> tuple[Any, str]:
    """Return the module or class that a function belongs to, and its name there."""
    path, _, attribute = name.rpartition(".")
    module, _, cls = path.rpartition(".")
    return (getattr(import_module(module), cls) if cls[0].isupper() else import_module(path)), attribute


def _importers() -> Iterator[Any]:
    return (
        module for name, module in list(sys.modules.items()) if name.partition("_")[0].startswith("normlaw")
    )
