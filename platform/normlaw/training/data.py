"""A run's data: whole data sets as tensors, batches taken by index."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from normlaw.base.failures import what
from normlaw.launching.support import described
from normlaw.study.spec import RunSpec
from normlaw.training.label_noise import noisy_labels
from normlaw.training.randomness import Stream, generator
from normlaw_registry import (
    Architecture,
    Catalogue,
    Dataset,
    InputError,
    LoadContext,
    Loss,
    NormlawError,
    Split,
    Splits,
    Task,
    validate_params,
)
from normlaw_registry.dataset import EXAMPLES, SPOKEN


class UnfitDataError(InputError):
    """A data set is not what a run asks for.

    Attributes:
        place: the key of the run that asks for it.

    """

    def __init__(self, place: tuple[str | int, ...], text: str) -> None:
        super().__init__(text)
        self.place = place


DEFAULT_NOTES = {"unit": EXAMPLES, "fingerprint": ""}
"""What is not written down of a data set."""
LONGEST_NOTE = 200
EVALUATION_BATCH = 256
"""Examples in an evaluation's forward pass. On a CPU 2,048 take no less time, but eight times the memory."""
EVALUATION_TOKENS = 16384
"""Tokens in one of sequences, each of which has as many outputs as there are tokens in the vocabulary."""
FEW = 2**18
"""Numbers in the inputs of a split, up to which they are kept normalised too: a megabyte."""
Change = Callable[[Tensor], Tensor]
"""What augmentation does to a batch of images (b, channels, height, width) in [0, 1]."""


def _scaled(inputs: Tensor) -> Tensor:
    """Return inputs in float32, images of bytes in [0, 1]."""
    return inputs.float().div_(255) if inputs.dtype == torch.uint8 else inputs.float()


@dataclass(frozen=True)
class Examples:
    """A split as the network sees it, normalised batch by batch so that images stay uint8 in memory.

    Tokens are given as int64, and stay what the data set has them as in memory.
    """

    split: Split
    mean: Tensor
    std: Tensor
    """Per channel, (1 or channels, 1, ...): they broadcast over a batch."""
    tokens: bool = False
    """Whether the inputs are sequences of tokens."""

    @classmethod
    def of(cls, split: Split, splits: Splits, device: str) -> Self:
        """Return a split of a data set, held on a device."""
        channels = (-1, *(1,) * (split.inputs.dim() - 2))
        return cls(
            split=Split(inputs=split.inputs.to(device), labels=_answers(split.labels).to(device)),
            mean=torch.tensor(splits.mean, device=device).view(channels),
            std=torch.tensor(splits.std, device=device).view(channels),
            tokens=splits.task.kind == "next_token",
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the examples of several splits, one after the other; their mean and std must be the same."""
        inputs = torch.cat([part.split.inputs for part in parts])
        labels = torch.cat([part.split.labels for part in parts])
        return cls(Split(inputs=inputs, labels=labels), parts[0].mean, parts[0].std, parts[0].tokens)

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.split)

    def batch(self, index: Tensor | slice, change: Change | None = None) -> tuple[Tensor, Tensor]:
        """Return inputs (b, *input_shape) in float32, changed, then normalised, and their labels (b, ...).

        Of sequences the tokens as int64.
        """
        ready = self._ready if change is None else None
        inputs = (self.split.inputs if ready is None else ready)[index]  # (b, *input_shape)
        labels = self.split.labels[index]
        if self.tokens:
            return inputs.long(), labels
        given = inputs
        if ready is None:
            scaled = _scaled(inputs)
            given = self._normalised(scaled if change is None else change(scaled))
        view = given is inputs and isinstance(index, slice)
        return (given.clone() if view else given), labels  # a network may write into what it is given

    @cached_property
    def _ready(self) -> Tensor | None:
        """All inputs as a network is given them, where they are few: batches of the same bits, without sums."""
        if self.tokens or self.split.inputs.numel() > FEW:
            return None
        return self._normalised(_scaled(self.split.inputs))

    def _normalised(self, scaled: Tensor) -> Tensor:
        return scaled if self._as_they_are else (scaled - self.mean) / self.std

    @cached_property
    def _as_they_are(self) -> bool:
        """Whether normalising changes no bit: half of an evaluation's time for a network of one layer."""
        return not self.mean.any() and bool((self.std == 1).all())

    def batches(self, change: Change | None = None, at_once: int | None = None) -> Iterator[Split]:
        """Yield all examples in large batches of the same size, in a fixed order."""
        for part in self.slices(at_once):
            inputs, labels = self.batch(part, change)
            yield Split(inputs=inputs, labels=labels)

    def parts(self) -> Iterator[Self]:
        """Yield all examples as parts, each of which an evaluation's forward pass takes."""
        for part in self.slices():
            split = Split(inputs=self.split.inputs[part], labels=self.split.labels[part])
            yield replace(self, split=split)

    def slices(self, at_once: int | None = None) -> Iterator[slice]:
        """Yield which examples an evaluation's forward passes take, one after the other."""
        most = at_once or EVALUATION_BATCH
        if self.tokens:
            most = max(1, min(most, EVALUATION_TOKENS // self.split.inputs.shape[1]))
        for start in range(0, len(self), most):
            yield slice(start, start + most)


@dataclass(frozen=True)
class RunData:
    """What one run trains on and is tested on."""

    splits: Splits
    train: Examples
    """The run's own `train_size` examples, with its label noise. Of a one-pass run, which sees each of its
    examples once, others like those: `kept_examples` of them, to take the training loss on."""
    test: Examples
    validation: Examples | None
    """Examples to choose the optimum on; None when the test set serves as validation set."""
    digest: str
    """SHA-256 (16 digits) of the training examples, for the record of what was trained on."""

    @property
    def noted(self) -> dict[str, str]:
        """What the data set says of itself, for that record: what train_size counts, which files it read."""
        known = {"unit": self.splits.counted, "fingerprint": self.splits.fingerprint}
        return {name: text[:LONGEST_NOTE] for name, text in known.items() if text != DEFAULT_NOTES[name]}


@dataclass(frozen=True)
class _Request:
    """What one call of a data set's loader depends on; equal requests are answered from memory."""

    catalogue: Catalogue = field(compare=False)
    dataset: str
    params: str
    seed: int
    train_size: int
    folder: Path
    download: bool = field(compare=False)


@lru_cache(maxsize=2)
def _load(request: _Request) -> Splits:
    dataset = request.catalogue.get(Dataset, request.dataset)
    params = validate_params(dataset, json.loads(request.params))
    context = LoadContext(
        seed=request.seed, train_size=request.train_size, data_dir=request.folder, download=request.download
    )
    try:
        splits: Splits = dataset.load(params, context)
    except NormlawError:
        raise
    except OSError as error:
        who = described(Dataset, request.dataset, request.catalogue)
        file = f"{error.filename}: " if error.filename is not None else ""
        raise NormlawError(f"{who} cannot be loaded: {file}{error.strerror or what(error)}") from error
    except Exception as error:  # a plugin's own code may fail in any way
        who = described(Dataset, request.dataset, request.catalogue)
        raise NormlawError(f"{who} cannot be loaded: {what(error)}") from error
    return splits


def load_splits(spec: RunSpec, catalogue: Catalogue, folder: Path, *, download: bool = False) -> Splits:
    """Return the run's data set, loaded once per process (and once per seed where the seed draws it).

    Raises:
        NormlawError: it cannot be loaded; names it and who provides it.
        InputError: it has fewer training examples than the run needs, no images to augment, no labels to
            falsify, no fresh examples, no validation split of its own though the run asks for it, real targets
            or sequences though the run asks for classes, or its files are missing.

    """
    needed = spec.kept_examples + (spec.validation.size or 0)
    drawn = catalogue.get(Dataset, spec.dataset.name).seeded
    splits = _load(
        _Request(
            catalogue=catalogue,
            dataset=spec.dataset.name,
            params=json.dumps(spec.dataset.params, sort_keys=True),
            seed=spec.seed if drawn else 0,
            train_size=needed if drawn else 0,
            folder=folder,
            download=download,
        )
    )
    if needed > len(splits.train):
        held_out = f" with {spec.validation.size} held-out examples" if spec.validation.size else ""
        raise UnfitDataError(
            ("train_size",),
            f"train_size {spec.train_size}{held_out} is larger than data set {spec.dataset.name!r}, "
            f"which has {len(splits.train)} training examples",
        )
    if spec.validation.source == "dataset" and splits.validation is None:
        raise UnfitDataError(
            ("validation",),
            f"data set {spec.dataset.name!r} has no validation split of its own: "
            "take `validation: {source: held_out, size: ...}` or `validation: test`",
        )
    if spec.augmentation.active and len(splits.task.input_shape) != 3:
        raise UnfitDataError(
            ("augmentation",),
            f"`augmentation` changes images (channels, height, width); the inputs of data set "
            f"{spec.dataset.name!r} have shape {splits.task.input_shape}",
        )
    if spec.sampling == "one_pass" and splits.fresh is None:
        raise UnfitDataError(
            ("sampling",),
            f"data set {spec.dataset.name!r} draws no fresh examples: `sampling: one_pass` is for data sets "
            "that do; for others take `epochs: 1`",
        )
    require_kind(spec, catalogue, splits.task)
    kind = "numbers" if splits.task.kind == "regression" else "classes"
    if kind not in catalogue.get(Loss, spec.loss.name).targets:
        raise UnfitDataError(
            ("loss",),
            f"data set {spec.dataset.name!r} has {splits.task.answer}, and the loss {spec.loss.name!r} is not "
            f"for {kind}: take one that is, such as `loss: squared`",
        )
    if splits.task.kind == "regression":
        _require_no_classes(spec)
    if splits.task.kind == "next_token":
        _require_no_single_labels(spec)
    return splits


def require_kind(spec: RunSpec, catalogue: Catalogue, task: Task) -> None:
    """Raise UnfitDataError where the run's architecture is not for this kind of task."""
    tasks = catalogue.get(Architecture, spec.architecture.name).tasks
    if task.kind not in tasks:
        known = [one for record in catalogue.records for one in record.components]
        others = sorted(one.name for one in known if isinstance(one, Architecture) and task.kind in one.tasks)
        raise UnfitDataError(
            ("architecture",),
            f"data set {spec.dataset.name!r} asks for {SPOKEN[task.kind]} ({task.answer}), and architecture "
            f"{spec.architecture.name!r} is for {' and '.join(SPOKEN[kind] for kind in tasks)}: take "
            f"{' or '.join(map(repr, others)) or 'one that is for it'}",
        )


def _require_no_single_labels(spec: RunSpec) -> None:
    """Raise UnfitDataError for an option of a run on sequences that one label an example has a meaning for."""
    who = f"data set {spec.dataset.name!r} has sequences of tokens"
    if spec.label_noise:
        raise UnfitDataError(
            ("label_noise",), f"{who}, and no label an example that `label_noise` could mix up"
        )
    if spec.follows_norm:
        raise UnfitDataError(("trainer",), f"{who}, and {spec.trainer.name} is for two classes")


def _require_no_classes(spec: RunSpec) -> None:
    """Raise UnfitDataError for an option of a regression's run that only labels have a meaning for."""
    who = f"data set {spec.dataset.name!r} has real targets"
    if spec.label_noise:
        raise UnfitDataError(("label_noise",), f"{who}, and no classes that `label_noise` could mix up")
    if spec.stop.train_error is not None:
        raise UnfitDataError(("stop",), f"{who}, and no error that `stop.train_error` could wait for")
    if spec.follows_norm:
        raise UnfitDataError(("trainer",), f"{who}, and {spec.trainer.name} is for two classes")


def prepare(spec: RunSpec, catalogue: Catalogue, folder: Path, device: str = "cpu") -> RunData:
    """Return the run's data, held on a device. A smaller train_size's subset is contained in a larger one's.

    Held-out validation examples are those of the seed's order that come last (or, where the seed draws the
    data, those after the training examples), so that no train_size of a data set of fixed size meets them.

    Raises:
        InputError: as `load_splits`.

    """
    splits = load_splits(spec, catalogue, folder)
    if catalogue.get(Dataset, spec.dataset.name).seeded:  # drawn for this seed already: the first P are a draw
        order = np.arange(len(splits.train))
    else:
        order = generator(spec.seed, Stream.SUBSET).permutation(len(splits.train))
    train = _part(splits.train, order[: spec.kept_examples])
    if spec.label_noise:
        noise = generator(spec.seed, Stream.LABEL_NOISE)
        labels = noisy_labels(train.labels, splits.task.num_classes, spec.label_noise, noise)
        train = Split(inputs=train.inputs, labels=labels)
    validation = splits.validation if spec.validation.source == "dataset" else None
    if spec.validation.size:
        validation = _part(splits.train, order[-spec.validation.size :])
    digest = hashlib.sha256(train.inputs.contiguous().numpy().data)
    digest.update(train.labels.contiguous().numpy().data)
    return RunData(
        splits=splits,
        train=Examples.of(train, splits, device),
        test=Examples.of(splits.test, splits, device),
        validation=None if validation is None else Examples.of(validation, splits, device),
        digest=digest.hexdigest()[:16],
    )


def _answers(labels: Tensor) -> Tensor:
    """Return classes and tokens as int64, and real targets as they are."""
    return labels if labels.is_floating_point() else labels.long()


def _part(split: Split, chosen: np.ndarray[Any, np.dtype[np.int64]]) -> Split:
    index = torch.from_numpy(chosen)
    return Split(inputs=split.inputs[index], labels=split.labels[index])
