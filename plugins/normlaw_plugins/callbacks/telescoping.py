"""Telescoping: a network's training carried along as a linear smoother of its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from normlaw_plugins.callbacks.telescope.jacobian import jacobian, require_single_examples
from normlaw_plugins.callbacks.telescope.smoother import Smoother
from normlaw_plugins.callbacks.telescope.squared_loss import SquaredLoss
from normlaw_plugins.callbacks.telescope.update_rules import update_rule
from normlaw_registry import (
    Callback,
    Follower,
    InputError,
    NormlawError,
    OptimizerStep,
    Params,
    RunContext,
    RunPoint,
)

if TYPE_CHECKING:
    from torch import Tensor

BYTES = 8
"""Of a number in float64."""


class TelescopingParams(Params):
    """Parameters of `telescoping`."""

    test_examples: int = Field(
        default=200,
        ge=1,
        le=10_000,
        description="test examples that effective parameters are taken on; the first ones",
    )
    memory: float = Field(
        default=1.0,
        gt=0,
        description="GiB that one matrix of derivatives or labels may take; larger networks are refused",
    )


class Telescope(Follower):
    """Follows one run.

    Raises:
        InputError: effective parameters mean nothing for the run, or it is too large.

    """

    def __init__(self, params: TelescopingParams, run: RunContext) -> None:
        import torch

        if run.task.kind == "next_token":
            raise InputError(
                "effective parameters are those of one label an example, not of sequences of tokens"
            )
        train, test = run.train(), run.test()
        others = test.inputs[: params.test_examples]
        self._train, self._classes = train, run.task.num_outputs
        self._kept = min(params.test_examples, len(others))
        weights = [weight for weight in run.network.parameters() if weight.requires_grad]
        self._run, self._network, self._step_inputs = run, run.network, train.inputs
        if run.changed_by:
            raise InputError(
                "effective parameters follow from the optimiser's own steps; "
                f"{' and '.join(run.changed_by)} changes this run's weights or rates besides"
            )
        _require_small(params, run, weights, len(train) + self._kept)
        require_single_examples(run)
        self._loss = SquaredLoss.of(run, train.labels)
        self._inputs = torch.cat([train.inputs, others])
        with torch.no_grad():
            outputs = run.network(self._inputs).double().flatten()  # (r,)
        columns = len(train) * self._classes + 1
        rule = update_rule(run.optimizer, weights, columns)
        self.smoother = Smoother(outputs, len(train), self._classes, rule)
        self._derivatives: Tensor | None = None
        self._slopes: dict[int, float] = {}

    @property
    def train_rows(self) -> slice:
        """Rows of the smoother that belong to the training examples."""
        return slice(0, len(self._train) * self._classes)

    @property
    def test_rows(self) -> slice:
        """Rows of the smoother that belong to test examples."""
        return slice(len(self._train) * self._classes, None)

    def before_step(self, step: OptimizerStep) -> None:
        """Take the derivatives of all outputs in the weights before they move."""
        import torch

        known = int(step.indices.max()) < len(self._train)
        if not known or not torch.equal(step.inputs, self._train.inputs[step.indices]):
            raise NormlawError(
                "effective parameters need steps on the training examples as they are; this run augments them, "
                "or sees each example once"
            )
        self._derivatives = jacobian(self._network, self._inputs)

    def after_step(self, step: OptimizerStep) -> None:
        """Let the smoother follow."""
        assert self._derivatives is not None
        size = len(step.labels)
        if size not in self._slopes:
            self._slopes[size] = self._loss.slope(step.labels)
        self.smoother.step(self._derivatives, step.indices, self._slopes[size], step.learning_rate)
        self._derivatives = None

    def at_point(self, point: RunPoint) -> Mapping[str, float]:
        """Return effective parameters, and how far the network's outputs are from the telescoped ones."""
        told = self.smoother.predictions(self._loss.targets.flatten())  # (r,)
        off_train = (told[self.train_rows] - point.train_outputs.double().flatten()).abs()
        off_test = (told[self.test_rows] - point.test_outputs[: self._kept].double().flatten()).abs()
        return {
            "parameters_train": self.smoother.effective_parameters(self.train_rows),
            "parameters_test": self.smoother.effective_parameters(self.test_rows),
            "error_train": float(off_train.mean()),
            "error_test": float(off_test.mean()),
        }

    def state_dict(self) -> Mapping[str, Any]:
        """Return the smoother as it stands."""
        return self.smoother.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the smoother of this state."""
        self.smoother.load_state_dict(state)


def _require_small(
    params: TelescopingParams, run: RunContext, weights: Sequence[Tensor], examples: int
) -> None:
    """Raise InputError where a matrix would not fit."""
    count, classes = sum(weight.numel() for weight in weights), run.task.num_outputs
    labels = run.train_size * classes
    largest = max(examples * classes * count, count * (labels + 1), examples * classes * (labels + 1))
    if (gib := largest * BYTES / 2**30) > params.memory:
        raise InputError(
            f"effective parameters of {count:,} weights on {run.train_size:,} training and "
            f"{examples - run.train_size:,} test examples take {gib:.3g} GiB a matrix, and `memory` allows "
            f"{params.memory:g}: take a smaller network or fewer examples"
        )


def start(params: TelescopingParams, run: RunContext) -> Telescope:
    """Return what follows a run under a squared loss by SGD (with momentum), Adam or AdamW.

    `parameters_train` and `parameters_test` are the effective parameters on training and on test examples, zero
    before the first step; `error_train` and `error_test` the mean distances of the network's own outputs from
    $S y + c$. Where these are not small against the outputs, the effective parameters are those of another
    function: lower the learning rate, of which errors are a multiple.
    """
    return Telescope(params, run)


TELESCOPING = Callback(
    name="telescoping",
    summary="The network as a linear smoother of its labels, and how well that describes it",
    formula=(
        r"f_t(x) \approx S_t(x)\, y + c_t(x), \quad "
        r"S_t = S_{t-1} - g\, a\, J_t J_{t,B}^\top \left(S_{t-1,B} - E_B\right)"
    ),
    source="arXiv 2411.00247",
    params=TelescopingParams,
    start=start,
    dtypes=("float32",),
)
