"""Gives one component, then fails."""

from fake_normlaw_plugin.good import build_linear
from normlaw_registry import Architecture, hookimpl


@hookimpl
def normlaw_architectures():
    yield Architecture(name="fake_half", summary="Must not be used", build=build_linear)
    raise ValueError("the second one cannot be made")
