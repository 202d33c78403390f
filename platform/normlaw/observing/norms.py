"""The norms of a network at one moment, from its weights alone: the same weights, the same bits."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn

import torch
from torch import Tensor, nn

from normlaw.base.files import write_whole
from normlaw.observing.network import Observed
from normlaw.study.spec import ComponentChoice
from normlaw.training.measuring import Measurer
from normlaw_registry import (
    Catalogue,
    ComplexityMeasure,
    InputError,
    LayerRule,
    MeasuredValue,
    NormlawError,
    validate_params,
)
from normlaw_registry.linear import LinearMapPlan


class Norms:
    """Takes the norms of one network whenever it is asked.

    Attributes:
        excluded: what has weights and is no linear map, with the reason.
        described: what tells the network from others: its type and the names and shapes of its linear maps.

    Args:
        measures: the norms.
        observed: the network as it is initialised, with an example.
        catalogue: where the norms come from.
        layer_rules: for layer types that normlaw has no rule for.

    Raises:
        InputError: a layer with weights has no rule; names it.

    """

    def __init__(
        self,
        measures: Iterable[ComponentChoice],
        observed: Observed,
        catalogue: Catalogue,
        layer_rules: Mapping[type[nn.Module], LayerRule] | None = None,
    ) -> None:
        self._network = observed.network
        plan = LinearMapPlan.of(
            observed.network, observed.task, example=observed.example, layer_rules=layer_rules
        )
        chosen = [(catalogue.get(ComplexityMeasure, m.name), m.params) for m in measures]
        self._measures = [(measure, validate_params(measure, params)) for measure, params in chosen]
        self._measurer = Measurer(self._measures, observed.network, None, observed.task, plan)
        self.excluded = self._measurer.excluded
        shapes = [
            (m.name, m.operation, list(m.weight.shape), list(m.input_size), m.positions)
            for m in plan.linear_maps(observed.network)
        ]
        self.described = {
            "type": type(observed.network).__name__,
            "linear_maps": len(shapes),
            "digest": hashlib.sha256(json.dumps(shapes).encode()).hexdigest()[:16],
        }

    def take(self) -> dict[str, MeasuredValue]:
        """Return each norm of the network as it is now, by name; one that is not defined is left out.

        Mode, gradients, random state and weights of the network stay as they are.

        Raises:
            NormlawError: a weight is zero or not finite; names the layer.

        """
        try:
            return self._measurer.measure(
                self._network,
                train_batches=self._no_examples,
                train_labels=torch.empty(0, dtype=torch.int64),
                train_logits=self._no_examples,
            )
        finally:
            self._measurer.forget()

    def keep_initial(self, path: Path) -> None:
        """Write the initial weights, where a norm looks at them.

        Raises:
            NormlawError: the file cannot be written.

        """
        if not (initial := self._measurer.state_dict()):
            return
        content = io.BytesIO()
        torch.save(initial, content)
        try:
            write_whole(path, content.getvalue(), lasting=True)
        except OSError as error:
            raise NormlawError(f"{path}: cannot be written: {error.strerror}") from None

    def take_over_initial(self, path: Path) -> None:
        """Read the initial weights of a run that is gone on with, where a norm looks at them.

        Raises:
            InputError: the file is missing or damaged.

        """
        if not self._measurer.state_dict():
            return
        try:
            initial: dict[str, Tensor] = torch.load(path, weights_only=True)
            self._measurer.load_state_dict(initial)
        except (OSError, ValueError, KeyError, RuntimeError, pickle.UnpicklingError) as error:
            raise InputError(
                f"{path}: the initial weights of the run, which a norm looks at, cannot be read: {error}"
            ) from None

    def _no_examples(self) -> NoReturn:
        names = ", ".join(measure.name for measure, _ in self._measures)
        raise InputError(
            f"one of the measures ({names}) looks at the training examples, and an observer has the network "
            "alone: leave it out"
        )
