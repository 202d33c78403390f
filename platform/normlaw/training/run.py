"""One run: its data, its network, and what is measured of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from normlaw.study.spec import RunSpec
from normlaw.training.abscissas import abscissas
from normlaw.training.chosen import chosen_callbacks
from normlaw.training.compute import Forward, laid_out, make_repeatable
from normlaw.training.data import prepare
from normlaw.training.evaluation import Measurement, Outputs, Point, measure, outputs
from normlaw.training.followed_run import FollowedRun
from normlaw.training.following import Following
from normlaw.training.loss import MeanLoss
from normlaw.training.measuring import Measurer
from normlaw.training.memory import keep_freed_memory
from normlaw.training.observer import Observer
from normlaw.training.randomness import Stream, torch_seed
from normlaw.training.state import TrainingState
from normlaw.training.stopping import reason_to_stop
from normlaw_registry import Architecture, Catalogue, ComplexityMeasure, NormlawError, Params, validate_params
from normlaw_registry.errors import suggestion
from normlaw_registry.host.vectors import measure_of


class Run:
    """A run's network as it was initialised, on a device, with its data; `measure` it while it is trained.

    Attributes:
        memory_format: what its images and weights are laid out as.
        forward: the network as the run applies it.
        loss: the mean of its loss over a batch.
        catalogue: where its components come from.
        points: the measurements taken, in the order of their steps.

    Raises:
        InputError: the data set is too small or missing, or does not fit the architecture; or see
            `memory_format`.

    """

    def __init__(
        self, spec: RunSpec, catalogue: Catalogue, folder: Path, device: str, observer: Observer
    ) -> None:
        make_repeatable(device)
        keep_freed_memory()
        self.spec = spec
        self.observer = observer
        self.data = prepare(spec, catalogue, folder, device)
        architecture = catalogue.get(Architecture, spec.architecture.name)
        torch.manual_seed(torch_seed(spec.seed, Stream.NETWORK))
        task = self.data.splits.task
        network = architecture.build(validate_params(architecture, spec.architecture.params), task)
        self.network, self.memory_format = laid_out(network, spec.compute, device, task)
        self.forward = Forward(self.network, spec.compute, self.memory_format)
        self._architecture, self._measures = architecture, resolved_measures(spec, catalogue)
        self.measurer = Measurer(self._measures, self.network, architecture, task)
        self.loss = MeanLoss(spec.loss, catalogue)
        self.catalogue = catalogue
        self.points: list[Point] = []
        self._chosen = chosen_callbacks(spec, catalogue)
        self._following: Following | None = None
        self._latest: Measurement | None = None

    def follow(self, optimizer: Optimizer) -> Following | None:
        """Start the run's callbacks on its network as it was initialised; None where it has none.

        Raises:
            InputError: a callback refuses the run.

        """
        if self._chosen:
            self._following = Following(
                self._chosen, FollowedRun.of(self.spec, self.network, optimizer, self.data, self.loss)
            )
        return self._following

    def callbacks_state(self) -> dict[str, Any]:
        """Return the states of the followers by their callbacks' names."""
        return {} if self._following is None else self._following.state_dict()

    def load_state(self, state: TrainingState) -> None:
        """Take over what measures and callbacks depend on."""
        self.measurer.load_state_dict(state.measurer)
        if self._following is not None:
            self._following.load_state_dict(state.callbacks)

    def meter(self, name: str) -> Callable[[nn.Module], float]:
        """Return a function that takes a measure of the run, or a part of it, of a network like its own.

        It gives the natural log. Each value follows from the network alone, to the last bit.
        """
        chosen = [(one, params) for one, params in self._measures if one.name == measure_of(name)]
        measurer = Measurer(chosen, self.network, self._architecture, self.data.splits.task)

        def take(network: nn.Module) -> float:
            measurer.forget()
            forward = Forward(network, self.spec.compute, self.memory_format)
            found = measurer.measure(
                network,
                train_batches=self.data.train.batches,
                train_labels=self.data.train.split.labels,
                train_logits=lambda: outputs(forward, self.data.train),
                temperature=self.loss.temperature,
            )
            logs = abscissas(found)
            if name not in logs:
                raise NormlawError(
                    f"measure {name!r} is not defined for the network as it is: it cannot be held "
                    f"({suggestion(name, list(logs))})"
                )
            return logs[name]

        return take

    def measure(self, step: int, outputs_on: Outputs | None = None) -> bool:
        """Measure the network and tell the observer; return whether a rule of the run ends it here.

        Args:
            step: the optimiser step at which the network is.
            outputs_on: gives the network's outputs; by default by applying it as the run does.

        Raises:
            TrainingDivergedError: the training loss is not finite.
            NormlawError: a norm is not defined.

        """
        outputs_on = outputs_on or partial(outputs, self.forward)
        self._latest = measure(
            step,
            self.spec,
            self.network,
            self.data,
            self.loss,
            self.measurer,
            outputs_on,
            self._following,
        )
        self.points.append(self._latest.point)
        if self._latest.spectra:
            self.observer.spectra(step, self._latest.spectra)
        self.observer.point(self._latest.point, self._latest.inexact)
        if step == 0:
            self.observer.layers(self._latest.layers)
        return reason_to_stop(self.spec.stop, self._latest.point) is not None

    def finish(self) -> None:
        """Tell the callbacks of the end, and the observer what each layer contributes there."""
        if self._following is not None:
            self._following.at_end()
        if self._latest is not None:
            self.observer.layers(self._latest.layers)


def resolved_measures(spec: RunSpec, catalogue: Catalogue) -> list[tuple[ComplexityMeasure, Params]]:
    """Return the run's complexity measures with their parameters."""
    chosen = [(catalogue.get(ComplexityMeasure, m.name), m.params) for m in spec.measures]
    return [(measure, validate_params(measure, params)) for measure, params in chosen]
