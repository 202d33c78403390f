"""Gives an architecture as a data set."""

from fake_normlaw_plugin.good import build_linear
from normlaw_registry import Architecture, hookimpl


@hookimpl
def normlaw_datasets():
    yield Architecture(name="fake_misplaced", summary="In the wrong hook", build=build_linear)
