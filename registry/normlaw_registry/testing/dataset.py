"""What every data set must do."""

from __future__ import annotations

import tempfile
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from normlaw_registry.component import Params
from normlaw_registry.dataset import Dataset, LoadContext, Split, Splits, Task
from normlaw_registry.made_up import TOKEN_TYPES
from normlaw_registry.testing.verdict import require

if TYPE_CHECKING:
    from torch import Tensor

LONGEST = 200
"""Characters of what a data set says of itself."""


def check_dataset(
    dataset: Dataset,
    params: Params,
    *,
    data_dir: Path | str | None = None,
    train_size: int = 64,
    folder: Path | str | None = None,
) -> None:
    """Load the data several times; check shapes, types, labels, repetition and the seed's effect.

    The same call must give the same data whatever the state of torch's global generator, and leave that
    state alone. A seeded data set must change with the seed, keep its test examples and give the first of
    the same training examples when asked for fewer; one that is not seeded must not change with the seed.

    Args:
        dataset: what a hook gives.
        params: its parameters.
        data_dir: where its files lie; by default an empty folder.
        train_size: of the larger of the training sets that it is asked for.
        folder: former name of `data_dir`.

    """
    import torch

    data_dir = folder if data_dir is None else data_dir
    if data_dir is None:
        with tempfile.TemporaryDirectory(prefix="normlaw-") as empty:
            check_dataset(dataset, params, data_dir=empty, train_size=train_size)
            return
    files = Path(data_dir)

    def load(seed: int = 0, size: int = train_size, state: int = 0) -> Splits:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(state)
            before = torch.get_rng_state()
            splits = dataset.load(params, LoadContext(seed=seed, train_size=size, data_dir=files))
            require(
                dataset,
                torch.equal(before, torch.get_rng_state()),
                "`load` changes torch's global generator, from which networks draw their initial weights: "
                "draw from a torch.Generator of its own",
            )
        return splits

    splits = load()
    require(dataset, isinstance(splits, Splits), f"`load` must return Splits, got {type(splits).__name__}")
    for name in ("train", "test", "validation"):
        split = getattr(splits, name)
        if name != "validation" or split is not None:
            _check_split(dataset, splits, name, split)
    _check_fresh(dataset, splits)
    _check_normalisation(dataset, splits)
    for name in ("unit", "fingerprint"):
        told = getattr(splits, name)
        require(
            dataset,
            isinstance(told, str) and len(told) <= LONGEST and (told.isprintable() or not told),
            f"`{name}` must be a line of at most {LONGEST} characters, got {told!r}",
        )
    info = None if dataset.info is None else dataset.info(params)
    require(
        dataset,
        info is None or info.task == splits.task,
        f"`info` tells of {info and info.task}, but `load` gives {splits.task}",
    )
    floor = None if info is None else info.loss_floor
    require(
        dataset,
        floor is None or (isinstance(floor, float) and isfinite(floor) and floor >= 0),
        f"`info.loss_floor` must be a finite number of nats, at least 0, or None, got {floor!r}",
    )
    require(
        dataset, _same(splits, load(state=1)), "two loads differ: draw from generators that `load` seeds itself"
    )
    other = load(seed=1)
    if not dataset.seeded:
        require(dataset, _same(splits, other), "the data change with context.seed: declare seeded=True")
        return
    require(dataset, not _same(splits, other), "seeded=True, but the data do not change with context.seed")
    require(
        dataset,
        len(splits.train) >= train_size,
        f"asked for {train_size} training examples, a seeded data set gave {len(splits.train)}",
    )
    fewer = load(size=train_size // 2)
    nested = all(
        torch.equal(small, large[: len(small)])
        for small, large in zip(_tensors(fewer.train), _tensors(splits.train), strict=True)
    )
    require(
        dataset,
        nested,
        "fewer training examples are not the first of more: draw them row by row from a generator of their own",
    )
    require(
        dataset,
        all(torch.equal(a, b) for a, b in zip(_tensors(fewer.test), _tensors(splits.test), strict=True)),
        "the test examples change with context.train_size: draw them from a generator of their own",
    )


def _check_split(dataset: Dataset, splits: Splits, name: str, split: Split) -> None:
    import torch

    require(dataset, isinstance(split, Split), f"`{name}` must be a Split, got {type(split).__name__}")
    inputs, labels = split.inputs, split.labels
    shape = splits.task.input_shape
    require(dataset, len(split) > 0, f"`{name}` is empty")
    require(
        dataset,
        tuple(inputs.shape[1:]) == shape,
        f"`{name}.inputs` must have the shape (n, {', '.join(map(str, shape))}), got {tuple(inputs.shape)}",
    )
    if splits.task.kind == "next_token":
        _check_tokens(dataset, name, split, splits.task)
        return
    require(
        dataset,
        inputs.dtype in (torch.uint8, torch.float32),
        f"`{name}.inputs` must be uint8 (scaled on the fly) or float32, got {inputs.dtype}",
    )
    require(
        dataset, inputs.dtype == torch.uint8 or inputs.isfinite().all(), f"`{name}.inputs` are not all finite"
    )
    if splits.task.kind == "regression":
        _check_targets(dataset, name, labels, splits.task.num_targets)
        return
    classes = splits.task.num_classes
    require(
        dataset,
        labels.dtype == torch.int64 and labels.ndim == 1,
        f"`{name}.labels` must be int64 of shape (n,), got {labels.dtype} of shape {tuple(labels.shape)}",
    )
    require(
        dataset,
        labels.min() >= 0 and labels.max() < classes,
        f"`{name}.labels` must lie in [0, {classes}), got {int(labels.min())} to {int(labels.max())}",
    )
    require(
        dataset, name != "train" or bool((labels != labels[0]).any()), "`train.labels` are all the same class"
    )


def _check_tokens(dataset: Dataset, name: str, split: Split, task: Task) -> None:
    for part, tokens, places in (
        ("inputs", split.inputs, task.input_shape[0]),
        ("labels", split.labels, task.scored_places),
    ):
        kind = str(tokens.dtype).removeprefix("torch.")
        require(
            dataset,
            kind in TOKEN_TYPES and tuple(tokens.shape[1:]) == (places,),
            f"`{name}.{part}` must be tokens of the shape (n, {places}) in one of {', '.join(TOKEN_TYPES)}, "
            f"got {kind} of shape {tuple(tokens.shape)}",
        )
        require(
            dataset,
            int(tokens.min()) >= 0 and int(tokens.max()) < task.vocabulary,  # uint8 knows no 256
            f"`{name}.{part}` must lie in [0, {task.vocabulary}), got {int(tokens.min())} to "
            f"{int(tokens.max())}",
        )
    both = min(task.input_shape[0], task.scored_places + 1) - 1
    require(
        dataset,
        not both or bool((split.inputs[:, -both:] == split.labels[:, -both - 1 : -1]).all()),
        f"`{name}.labels` must be the inputs moved by one place: the label at a place is the next input",
    )


def _check_targets(dataset: Dataset, name: str, targets: Tensor, count: int) -> None:
    import torch

    require(
        dataset,
        targets.dtype == torch.float32 and targets.ndim == 2 and targets.shape[1] == count,
        f"`{name}.labels` must be float32 of shape (n, {count}), got {targets.dtype} of shape "
        f"{tuple(targets.shape)}",
    )
    require(dataset, targets.isfinite().all(), f"`{name}.labels` are not all finite")
    require(dataset, name != "train" or bool((targets != targets[0]).any()), "`train.labels` are all the same")


def _check_fresh(dataset: Dataset, splits: Splits) -> None:
    """Ask for fresh examples at once and in parts; they are like those of `train`, and none of them."""
    import torch

    if splits.fresh is None:
        return
    whole = splits.fresh(0, 9)
    _check_split(dataset, splits, "fresh", whole)
    parts = [splits.fresh(5, 9), splits.fresh(0, 5)]
    for tensor, later, earlier in zip(_tensors(whole), *map(_tensors, parts), strict=True):
        require(
            dataset,
            len(whole) == 9 and torch.equal(tensor, torch.cat([earlier, later])),
            "`fresh(0, 9)` is not `fresh(0, 5)` followed by `fresh(5, 9)`: draw each block of the sequence "
            "from a generator of its own",
        )
    require(
        dataset,
        not torch.equal(whole.inputs, splits.train.inputs[:9]),
        "`fresh` gives the training examples themselves: draw it from a stream of its own",
    )


def _check_normalisation(dataset: Dataset, splits: Splits) -> None:
    channels = splits.task.input_shape[0] if len(splits.task.input_shape) == 3 else 1
    for name in ("mean", "std"):
        require(
            dataset,
            len(getattr(splits, name)) in (1, channels),
            f"`{name}` must hold one value or one a channel ({channels}), got {getattr(splits, name)}",
        )
    require(dataset, min(splits.std) > 0, f"`std` must be positive, got {splits.std}")
    if splits.population_error is not None:
        from torch import nn

        features = splits.train.inputs[0].numel()
        network = nn.Sequential(nn.Flatten(), nn.Linear(features, splits.task.num_outputs, bias=False)).eval()
        error = splits.population_error(network)
        require(
            dataset,
            error is None or (isinstance(error, float) and 0 <= error <= 1),
            f"`population_error` must return a float in [0, 1] or None, got {error!r}",
        )
    if splits.population_squared_error is not None:
        from torch import nn

        features = splits.train.inputs[0].numel()
        network = nn.Sequential(nn.Flatten(), nn.Linear(features, splits.task.num_outputs, bias=False)).eval()
        error = splits.population_squared_error(network)
        require(
            dataset,
            splits.task.kind == "regression" and (error is None or (isinstance(error, float) and error >= 0)),
            "`population_squared_error` belongs to a regression and must return a float of at least 0 or None, "
            f"got {error!r}",
        )


def _tensors(split: Split) -> tuple[Tensor, Tensor]:
    return split.inputs, split.labels


def _same(one: Splits, other: Splits) -> bool:
    import torch

    pairs = zip(
        (*_tensors(one.train), *_tensors(one.test)),
        (*_tensors(other.train), *_tensors(other.test)),
        strict=True,
    )
    return all(torch.equal(a, b) for a, b in pairs)
