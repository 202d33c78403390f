"""Datasets: tensors to train on and to measure the error with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, Literal

from normlaw_registry.component import Component, P
from normlaw_registry.errors import InvalidComponentError
from normlaw_registry.former_names import former_names

if TYPE_CHECKING:
    from torch import Tensor, nn


TaskKind = Literal["classification", "regression", "next_token"]
SPOKEN: Mapping[TaskKind, str] = {
    "classification": "classification",
    "regression": "regression",
    "next_token": "next-token prediction",
}
"""The kinds of task as sentences have them."""
EXAMPLES = "examples"
"""What train sizes count where nothing else is said."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a data set asks of a network: the shape of one input, and what is to be answered.

    Classification: a network for two classes has one output f, and answers class 1 where f > 0; one for more
    classes has `num_classes` outputs, and answers with the largest. Regression: a network has `num_targets`
    outputs, the real numbers that it answers with. Next-token prediction: an input is a sequence of T tokens,
    and a network answers at each place t with `vocabulary` outputs for the token that follows those up to t.

    Raises:
        InvalidComponentError: the shape is empty or holds a number below 1, there are fewer than 2 classes,
            than 1 target or than 2 tokens, or one is given where the kind of task has another, or more places
            are scored than a sequence has.

    """

    input_shape: tuple[int, ...]
    """Shape of one input without the batch axis: (channels, height, width), (features,) or (T,) for tokens."""
    num_classes: int = 0
    """Classification: number of classes, at least 2. Else 0."""
    kind: TaskKind = "classification"
    """What an answer is: one of some classes, real numbers, or the next token at each place of a sequence."""
    num_targets: int = 0
    """Regression: how many real numbers an answer has, at least 1. Else 0."""
    vocabulary: int = 0
    """Next-token prediction: how many tokens there are, at least 2; inputs and labels are below it. Else 0."""
    scored: int = 0
    """Next-token prediction: how many places at a sequence's end count, as where only an answer after a
    question does; 0 for all of them. Else 0."""

    def __post_init__(self) -> None:
        """Refuse a task that no network could serve."""
        if not self.input_shape or min(self.input_shape) < 1:
            raise InvalidComponentError(
                f"task: give an input shape of positive numbers, got {self.input_shape}"
            )
        if self.kind == "next_token":
            self._require_sequences()
        elif self.vocabulary or self.scored:
            raise InvalidComponentError(
                f'task: `vocabulary` and `scored` are for kind="next_token", got kind={self.kind!r}'
            )
        elif self.kind == "regression":
            if self.num_targets < 1 or self.num_classes:
                raise InvalidComponentError(
                    f"task: a regression has at least 1 target and no classes, got {self.num_targets} and "
                    f"{self.num_classes}"
                )
        elif self.num_classes < 2 or self.num_targets or self.kind != "classification":
            raise InvalidComponentError(
                "task: a classification has at least 2 classes and no targets (a regression says "
                f'kind="regression"), got {self.num_classes} and {self.num_targets}, kind={self.kind!r}'
            )

    def _require_sequences(self) -> None:
        if len(self.input_shape) != 1 or self.vocabulary < 2 or self.num_classes or self.num_targets:
            raise InvalidComponentError(
                "task: next-token prediction has inputs of the shape (T,), a vocabulary of at least 2 tokens, "
                f"and neither classes nor targets, got {self.input_shape}, {self.vocabulary}, "
                f"{self.num_classes} and {self.num_targets}"
            )
        if not 0 <= self.scored <= self.input_shape[0]:
            raise InvalidComponentError(
                f"task: of {self.input_shape[0]} places at most all can be scored, got scored={self.scored}"
            )

    @property
    def num_outputs(self) -> int:
        """Number of outputs of a network for this task; for sequences at each place."""
        if self.kind == "regression":
            return self.num_targets
        if self.kind == "next_token":
            return self.vocabulary
        return 1 if self.num_classes == 2 else self.num_classes

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one answer without the batch axis: (num_outputs,), for sequences (T, vocabulary)."""
        return (*(self.input_shape if self.kind == "next_token" else ()), self.num_outputs)

    @property
    def scored_places(self) -> int:
        """Of a sequence, how many places at its end count: at each the next token is predicted."""
        return self.scored or self.input_shape[0]

    @property
    def answer(self) -> str:
        """What is to be answered, for messages: '10 classes', 'a real number', 'the next of 256 tokens'."""
        if self.kind == "classification":
            return f"{self.num_classes} classes"
        if self.kind == "next_token":
            return f"the next of {self.vocabulary} tokens"
        return "a real number" if self.num_targets == 1 else f"{self.num_targets} real numbers"


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Inputs with their labels, or with their targets.

    Raises:
        InvalidComponentError: there are not as many labels as inputs.

    """

    inputs: Tensor
    """(n, *input_shape); uint8 images in [0, 255], or floating point; of sequences tokens, (n, T), in any of
    uint8, int16, int32 and int64: a network is given int64."""
    labels: Tensor
    """(n,) int64 in [0, num_classes); of a regression the targets, (n, num_targets) float32; of sequences the
    tokens that follow the last `task.scored_places` places, (n, scored_places), as inputs are."""

    def __post_init__(self) -> None:
        """Refuse inputs without labels and labels without inputs."""
        if len(self.inputs) != len(self.labels):
            raise InvalidComponentError(
                f"split: give each input one label, got {len(self.inputs)} inputs, {len(self.labels)} labels"
            )

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Splits:
    """A loaded data set. The platform draws nested training subsets from `train` itself."""

    task: Task
    train: Split
    test: Split
    validation: Split | None = None
    """Examples kept apart from `test` for choosing the optimum, where the data set has its own."""
    mean: tuple[float, ...] = (0.0,)
    """Per channel; uint8 inputs are first scaled to [0, 1], then (x - mean) / std on the fly."""
    std: tuple[float, ...] = (1.0,)
    """Per channel, positive."""
    population_error: Callable[[nn.Module], float | None] | None = None
    """The exact test error in [0, 1] of a network where the inputs' distribution is known; it returns None
    for a network to which its closed form does not apply, and the error on `test` is taken instead."""
    population_squared_error: Callable[[nn.Module], float | None] | None = None
    """Of a regression: the exact mean squared error of a network, the mean over targets too, where the
    inputs' distribution is known; None as above. It is the test loss of runs whose loss is the squared one."""
    fresh: Callable[[int, int], Split] | None = None
    """(start, stop) -> examples number `start` to `stop` - 1 of an endless sequence, drawn as `train` is but
    independent of it, for runs that see each example once. They are the same however they are asked for: draw
    them by blocks, each from a generator of its own."""
    unit: str = ""
    """What train_size counts, in the plural, for axes and tables: 'equations'. By default 'examples', and of
    sequences 'sequences of T tokens'."""
    fingerprint: str = ""
    """What tells these data from others of the same parameters, where files that may change are read: a digest,
    and what a reader should know of them. It is kept with each run, and an analysis warns where runs differ."""

    @property
    def counted(self) -> str:
        """What train_size counts: `unit`, or what it is by default."""
        if self.task.kind == "next_token":
            return self.unit or f"sequences of {self.task.input_shape[0]} tokens"
        return self.unit or EXAMPLES


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """What is known of a data set without its files: enough to estimate what a study costs."""

    task: Task
    test_size: int
    """Number of test examples."""
    loss_floor: float | None = None
    """The least cross-entropy, in nats an answer, that any network can have on new examples, where it is known
    exactly: the entropy of the answers given the inputs. A study takes it by `analysis: {floor: dataset}`."""


@former_names(folder="data_dir")
@dataclass(frozen=True, kw_only=True)
class LoadContext:
    """What the platform tells a data set when it asks for it."""

    seed: int
    """Seed of the run. Only a data set with `seeded=True` may draw from it."""
    train_size: int
    """Number of training examples that will be used at most; a data set of fixed size ignores it."""
    data_dir: Path
    """Where files of data sets are looked for."""
    download: bool = False
    """Whether files that are not in `data_dir` may be fetched into it; the user allows it for one launch. It
    is no parameter of a data set, since what a run is does not depend on how its files arrived."""


@former_names(outline="info")
@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset(Component[P], Generic[P]):
    """A source of data. `load(params, context)` returns `Splits`, and the same ones whenever it is called.

    It draws from generators of its own and leaves torch's global one alone. With `seeded=True` the data
    follow from `context.seed`: the test examples are the same for every `context.train_size`, and the
    training examples for a smaller one are the first of those for a larger one.

    Files that are missing or damaged are reported by raising `InputError` with the file's name.
    """

    kind: ClassVar[str] = "dataset"
    functions: ClassVar[tuple[str, ...]] = ("load", "info")

    load: Callable[[P, LoadContext], Splits]
    """(params, context) -> splits. Import torch inside."""
    info: Callable[[P], DatasetInfo] | None = None
    """(params) -> what is known without loading; None where only the files tell."""
    seeded: bool = False
    """True when the data themselves are drawn anew for each seed, as a teacher's are."""
