"""Claims a name of its neighbour and one of normlaw's own."""

from fake_normlaw_plugin.good import build_linear
from normlaw_registry import Architecture, hookimpl


@hookimpl
def normlaw_architectures():
    yield Architecture(name="fake_linear", summary="Another linear layer", build=build_linear)
    yield Architecture(name="perceptron", summary="Another perceptron", build=build_linear)
