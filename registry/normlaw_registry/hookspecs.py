"""The hooks. A plugin is a module that implements any of them and is named by an entry point.

In the plugin's own `pyproject.toml`:

    [project.entry-points.normlaw]
    my_plugin = "my_package.normlaw_plugin"

Each hook takes no argument and returns an iterable of components of its kind. Returning None is an error.
Names that begin with `normlaw_` are kept for hooks: a plugin's function of such a name that is none is refused.
Import torch, statsmodels and the like inside the functions that need them: every command that looks a
component up waits for whatever a plugin imports at the top of its module.

The example of each hook is a whole plugin module, to be pasted and changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from normlaw_registry.architecture import Architecture
    from normlaw_registry.callback import Callback
    from normlaw_registry.complexity import ComplexityMeasure
    from normlaw_registry.dataset import Dataset
    from normlaw_registry.fitter import Fitter
    from normlaw_registry.loss import Loss
    from normlaw_registry.optimizer import Optimizer
    from normlaw_registry.protocol import AnalysisProtocol
    from normlaw_registry.schedule import Schedule
    from normlaw_registry.theory import Theory

PROJECT = "normlaw"
"""pluggy's project name, and the entry-point group that plugins announce themselves in."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin module as the implementation of the hook of the same name."""


@hookspec
def normlaw_architectures() -> Iterable[Architecture]:  # type: ignore[empty-body]
    """Return the architectures that the plugin provides.

    Example::

        from math import prod

        from normlaw_registry import Architecture, hookimpl

        def build_linear(params, task):
            from torch import nn

            return nn.Sequential(nn.Flatten(), nn.Linear(prod(task.input_shape), task.num_outputs))

        @hookimpl
        def normlaw_architectures():
            yield Architecture(name="linear", summary="One linear layer", build=build_linear)
    """


@hookspec
def normlaw_datasets() -> Iterable[Dataset]:  # type: ignore[empty-body]
    """Return the data sets that the plugin provides.

    Example::

        from normlaw_registry import Dataset, Split, Splits, Task, hookimpl

        def load_disc(params, context):
            import torch

            generator = torch.Generator().manual_seed(0)

            def draw(n):
                points = torch.rand(n, 2, generator=generator)  # (n, 2)
                inside = (points - 0.5).norm(dim=1) < 0.4  # (n,)
                return Split(inputs=points, labels=inside.long())

            return Splits(task=Task(input_shape=(2,), num_classes=2), train=draw(4000), test=draw(1000))

        @hookimpl
        def normlaw_datasets():
            yield Dataset(name="disc", summary="Inside or outside a disc", load=load_disc)
    """


@hookspec
def normlaw_losses() -> Iterable[Loss]:  # type: ignore[empty-body]
    """Return the losses that the plugin provides.

    Example::

        from normlaw_registry import Loss, hookimpl

        def mean_exponential(params, outputs, targets):
            # exp(-y f) for two classes, as AdaBoost has it
            import torch

            signs = 2 * targets - 1  # (b,)
            return torch.exp(-signs * outputs[:, 0]).mean()

        @hookimpl
        def normlaw_losses():
            yield Loss(name="exponential", summary="Exponential loss", mean=mean_exponential)
    """


@hookspec
def normlaw_optimizers() -> Iterable[Optimizer]:  # type: ignore[empty-body]
    """Return the optimisers that the plugin provides.

    Example::

        from normlaw_registry import Optimizer, hookimpl

        def build_rmsprop(params, weights, learning_rate, weight_decay):
            import torch

            return torch.optim.RMSprop(weights.values(), lr=learning_rate, weight_decay=weight_decay)

        @hookimpl
        def normlaw_optimizers():
            yield Optimizer(name="rmsprop", summary="Gradients over their RMS", build=build_rmsprop)
    """


@hookspec
def normlaw_schedules() -> Iterable[Schedule]:  # type: ignore[empty-body]
    """Return the schedules that the plugin provides.

    Example::

        from normlaw_registry import Schedule, hookimpl

        def inverse_root(params, step, steps):
            return (1 + step) ** -0.5

        @hookimpl
        def normlaw_schedules():
            yield Schedule(
                name="inverse_root", summary="1/sqrt(t)", factor=inverse_root, needs_length=False
            )
    """


@hookspec
def normlaw_complexity_measures() -> Iterable[ComplexityMeasure]:  # type: ignore[empty-body]
    """Return the complexity measures that the plugin provides.

    Example::

        from math import log

        from normlaw_registry import ComplexityMeasure, MeasuredValue, hookimpl

        def largest_entry(params, context):
            largest = max(float(m.weight.abs().max()) for m in context.linear_maps)
            return MeasuredValue(log_value=log(largest))

        @hookimpl
        def normlaw_complexity_measures():
            yield ComplexityMeasure(name="largest_entry", summary="Largest weight", measure=largest_entry)
    """


@hookspec
def normlaw_callbacks() -> Iterable[Callback]:  # type: ignore[empty-body]
    """Return the callbacks that the plugin provides.

    Example::

        from normlaw_registry import Callback, Follower, hookimpl

        class LargestStep(Follower):
            def __init__(self, run):
                self.weights = list(run.network.parameters())
                self.largest = 0.0

            def before_step(self, step):
                self.before = [weight.detach().clone() for weight in self.weights]

            def after_step(self, step):
                moved = [(w.detach() - b).square().sum() for w, b in zip(self.weights, self.before)]
                self.largest = max(self.largest, float(sum(moved)) ** 0.5)

            def at_point(self, point):
                return {"length": self.largest}  # logged as callback/largest_step/length

            def state_dict(self):
                return {"largest": self.largest}

            def load_state_dict(self, state):
                self.largest = state["largest"]

        @hookimpl
        def normlaw_callbacks():
            yield Callback(
                name="largest_step",
                summary="Length of the largest step so far",
                start=lambda params, run: LargestStep(run),
            )
    """


@hookspec
def normlaw_fitters() -> Iterable[Fitter]:  # type: ignore[empty-body]
    """Return the fitters that the plugin provides.

    Example::

        from math import inf

        from normlaw_registry import Fitter, FitResult, InputError, hookimpl

        def design(points):
            import numpy as np
            import pandas as pd

            return pd.DataFrame({"gamma_meas": -np.log(points["train_size"]), "log_k": 1.0})

        def fit_robust_line(points, params):
            # ln eps = log_k - gamma_meas ln P, by Huber's M-estimator
            import statsmodels.api as sm

            if len(points) < 3:
                raise InputError(f"a line and its errors need at least 3 points, got {len(points)}")
            found = sm.RLM(points["log_error"], design(points)).fit()
            return FitResult(
                params=found.params,
                covariance=found.cov_params(),
                freedom=inf,
                predict=lambda points, params: design(points) @ params,
                nobs=len(points),
            )

        @hookimpl
        def normlaw_fitters():
            yield Fitter(name="robust", summary="Huber line", law="endpoint_law", fit=fit_robust_line)
    """


@hookspec
def normlaw_theories() -> Iterable[Theory]:  # type: ignore[empty-body]
    """Return the solvable models that the plugin provides.

    Example::

        from math import acos, pi, sqrt

        from normlaw_registry import InputError, Prediction, Theory, hookimpl

        def hebb(alpha):
            return acos(sqrt(2 * alpha / (2 * alpha + pi))) / pi

        def predict(params, alphas, norms):
            if min(alphas) <= 0:
                raise InputError(f"Hebb's rule needs loads above 0, got {min(alphas)}")
            return [Prediction(alpha=a, norm=n, error=hebb(a)) for a in alphas for n in norms]

        @hookimpl
        def normlaw_theories():
            yield Theory(name="hebb", summary="Hebb's rule", predict=predict, references={"hebb": hebb})
    """


@hookspec
def normlaw_protocols() -> Iterable[AnalysisProtocol]:  # type: ignore[empty-body]
    """Return the protocols of analysis that the plugin provides.

    The columns of `curves` are those of `normlaw_registry.protocol`. One that says `by_default=True` is taken
    where neither the command nor the study names a protocol.

    Example::

        from normlaw_registry import AnalysisProtocol, Estimate, Findings, InputError, hookimpl

        def read_plainly(curves, params, context):
            from normlaw_registry.curves import early_points, run_optima, size_optima

            if curves["train_size"].nunique() < 3:
                raise InputError("the laws need curves of at least 3 train sizes")
            optima = run_optima(curves)  # a row a run: train_size, log_norm, log_error
            early = early_points(curves, size_optima(optima), window=(-5.0, -1.0))
            level = context.confidence
            one = Estimate.of_fit(context.fit("early_power_law", early), "gamma_1", level)
            two = Estimate.of_fit(context.fit("optimal_norm_power_law", optima), "gamma_2", level)
            end = Estimate.of_fit(context.fit("endpoint_power_law", optima), "gamma_meas", level)
            error = ((one.stderr * two.value) ** 2 + (two.stderr * one.value) ** 2) ** 0.5
            product = Estimate.normal(one.value * two.value, error, level)
            return Findings(gamma_1=one, gamma_2=two, gamma_pred=product, gamma_meas=end)

        @hookimpl
        def normlaw_protocols():
            yield AnalysisProtocol(
                name="plain",
                summary="Straight lines in one window",
                analyse=read_plainly,
                fitters=("early_power_law", "optimal_norm_power_law", "endpoint_power_law"),
            )
    """
