"""The five hooks. A plugin is a module that implements any of them and is named by an entry point.

In the plugin's own `pyproject.toml`:

    [project.entry-points.normlaw]
    my_plugin = "my_package.normlaw_plugin"

Each hook takes no argument and returns an iterable of components of its kind. Returning None is an error.
Import torch, statsmodels and the like inside the functions that need them: `normlaw --help` waits for
whatever a plugin imports at the top of its module.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from normlaw_registry.architecture import Architecture
    from normlaw_registry.complexity import ComplexityMeasure
    from normlaw_registry.dataset import Dataset
    from normlaw_registry.fitter import Fitter
    from normlaw_registry.theory import Theory

PROJECT = "normlaw"
"""pluggy's project name, and the entry-point group that plugins announce themselves in."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin module as the implementation of the hook of the same name."""


@hookspec
def normlaw_architectures() -> Iterable[Architecture]:  # type: ignore[empty-body]
    """Return the architectures that the plugin provides.

    Example:
        >>> from normlaw_registry import Architecture, hookimpl
        >>> def build(params, task):
        ...     from math import prod
        ...     from torch import nn
        ...     return nn.Sequential(nn.Flatten(), nn.Linear(prod(task.input_shape), task.num_outputs))
        >>> @hookimpl
        ... def normlaw_architectures():
        ...     yield Architecture(name="linear", summary="One linear layer", build=build)

    """


@hookspec
def normlaw_datasets() -> Iterable[Dataset]:  # type: ignore[empty-body]
    """Return the data sets that the plugin provides.

    Example:
        >>> from normlaw_registry import Dataset, Split, Splits, Task, hookimpl
        >>> def load(params, context):
        ...     import torch
        ...     generator = torch.Generator().manual_seed(0)
        ...     def draw(n):
        ...         points = torch.rand(n, 2, generator=generator)
        ...         inside = (points - 0.5).norm(dim=1) < 0.4
        ...         return Split(inputs=points, labels=inside.long())
        ...     return Splits(task=Task(input_shape=(2,), num_classes=2), train=draw(4000), test=draw(1000))
        >>> @hookimpl
        ... def normlaw_datasets():
        ...     yield Dataset(name="disc", summary="Inside or outside a disc", load=load)

    """


@hookspec
def normlaw_complexity_measures() -> Iterable[ComplexityMeasure]:  # type: ignore[empty-body]
    """Return the complexity measures that the plugin provides.

    Example:
        >>> from math import log
        >>> from normlaw_registry import ComplexityMeasure, MeasuredValue, hookimpl
        >>> def largest_entry(params, context):
        ...     largest = max(float(m.weight.abs().max()) for m in context.linear_maps)
        ...     return MeasuredValue(log_value=log(largest))
        >>> @hookimpl
        ... def normlaw_complexity_measures():
        ...     yield ComplexityMeasure(name="largest_entry", summary="Largest weight", measure=largest_entry)

    """


@hookspec
def normlaw_fitters() -> Iterable[Fitter]:  # type: ignore[empty-body]
    """Return the fitters that the plugin provides.

    Example:
        >>> from normlaw_registry import Fitter, hookimpl
        >>> def fit(points, params):
        ...     from my_package.robust import robust_line   # returns a FitResult that reports gamma_meas
        ...     return robust_line(points)
        >>> @hookimpl
        ... def normlaw_fitters():
        ...     yield Fitter(name="robust_endpoint", summary="Huber line", law="endpoint_law", fit=fit)

    """


@hookspec
def normlaw_theories() -> Iterable[Theory]:  # type: ignore[empty-body]
    """Return the solvable models that the plugin provides.

    Example:
        >>> from math import acos, pi, sqrt
        >>> from normlaw_registry import Prediction, Theory, hookimpl
        >>> def hebb(alpha):
        ...     return acos(sqrt(2 * alpha / (2 * alpha + pi))) / pi
        >>> def predict(params, alphas, norms):
        ...     return [Prediction(alpha=a, norm=n, error=hebb(a)) for a in alphas for n in norms]
        >>> @hookimpl
        ... def normlaw_theories():
        ...     yield Theory(name="hebb", summary="Hebb's rule", predict=predict)

    """
