"""A plugin that does everything right, and gives components of two kinds."""

from math import log, prod

from normlaw_registry import Architecture, ComplexityMeasure, MeasuredValue, hookimpl


def build_linear(params, task):
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(prod(task.input_shape), task.num_outputs))


def largest_entry(params, context):
    return MeasuredValue(log_value=log(max(float(m.weight.abs().max()) for m in context.linear_maps)))


@hookimpl
def normlaw_architectures():
    yield Architecture(
        name="fake_linear",
        summary="One linear layer",
        build=build_linear,
        devices=("cpu", "cuda"),
        dtypes=("float32",),
    )


@hookimpl
def normlaw_complexity_measures():
    return [ComplexityMeasure(name="fake_largest_entry", summary="Largest weight", measure=largest_entry)]
